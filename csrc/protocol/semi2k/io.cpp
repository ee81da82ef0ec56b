// Input, opening and public values.
#include <algorithm>

#include "protocol/semi2k/semi2k.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

// Input costs no bytes: the peer's share is a stream of the seed both know, the owner keeps the
// difference. The stream is bound to the step, so it is never used twice.
prg::Prg input_stream(const Env& env) {
  constexpr std::uint64_t kInput = 0x696e707574;
  return prg::Prg(prg::derive(env.common_seed, {kInput, env.step_index, 0, 0, 0, 0}));
}

void exchange_shares(Env& env, ConstWords x,
                     const std::function<void(Range, ConstWords, ConstWords)>& combine) {
  const std::size_t n = x.size();
  run_exchange(env, other(env.party),
               {.num_chunks = num_chunks(n),
                .chunk_words_max = chunk_words(n),
                .produce =
                    [&](std::size_t i, Words own) {
                      const Range r = chunk_at(i, n);
                      std::copy_n(x.begin() + r.begin, r.size, own.begin());
                      return r.size;
                    },
                .consume = [&](std::size_t i, ConstWords own,
                               ConstWords theirs) { combine(chunk_at(i, n), own, theirs); }});
}

void reveal_shares(Env& env, Words out, ConstWords x, int to,
                   void (*combine)(Words, ConstWords, ConstWords)) {
  if (env.party != to) return send_words(env, to, x);
  receive_words(env, other(to), out);
  combine(out, out, x);
}

void add(Words out, ConstWords x, ConstWords y) { ring::add(out, x, y); }

void exclusive_or(Words out, ConstWords x, ConstWords y) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = x[i] ^ y[i];
}

}  // namespace

void Semi2k::input(Env& env, Words out, ConstWords values, int owner) const {
  const prg::Prg stream = input_stream(env);
  env.party == owner ? stream.subtract(out, values) : stream.fill_words(out);
}

void Semi2k::input_bits(Env& env, Words out, ConstWords values, int owner) const {
  const prg::Prg stream = input_stream(env);
  env.party == owner ? stream.exclusive_or(out, values) : stream.fill_words(out);
}

void Semi2k::open(Env& env, Words out, ConstWords x) const {
  exchange_shares(env, x, [&](Range r, ConstWords own, ConstWords theirs) {
    ring::add(out.subspan(r.begin, r.size), own, theirs);
  });
}

void Semi2k::open_bits(Env& env, Words out, ConstWords x) const {
  exchange_shares(env, x, [&](Range r, ConstWords own, ConstWords theirs) {
    exclusive_or(out.subspan(r.begin, r.size), own, theirs);
  });
}

void Semi2k::reveal(Env& env, Words out, ConstWords x, int to) const {
  reveal_shares(env, out, x, to, add);
}

void Semi2k::reveal_bits(Env& env, Words out, ConstWords x, int to) const {
  reveal_shares(env, out, x, to, exclusive_or);
}

void Semi2k::add_public(int party, Words out, ConstWords x, ConstWords value) const {
  if (party == 0) return ring::add(out, x, value);
  std::copy(x.begin(), x.end(), out.begin());
}

void Semi2k::xor_public(int party, Words out, ConstWords x, ConstWords value) const {
  if (party == 0) return exclusive_or(out, x, value);
  std::copy(x.begin(), x.end(), out.begin());
}

}  // namespace petcore::protocol::semi2k
