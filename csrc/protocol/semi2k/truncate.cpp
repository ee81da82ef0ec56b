// Division by a power of two: of each share by itself (Mohassel and Zhang, S&P 2017, section 5.1),
// with the wrap that this leaves in one word of 2^64 undone (as Cheetah does for a known sign:
// Huang et al., USENIX Security 2022, section 5). For the exact variant x + 2^62 + r is opened, r
// >> f and the top bit of r are shared (Escudero et al., 2020, section 5.1); a carry out of the low
// f bits remains, which the exact variant removes by comparing the low bits.
#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

constexpr std::uint64_t kLow63 = ~std::uint64_t{0} >> 1;

// Opens x + 2^62 + r, chunk by chunk; `use` gets the chunk's range and the sum.
void open_shifted(Env& env, ConstWords x, const std::function<void(std::size_t, Words)>& use) {
  const std::size_t n = x.size();
  const std::uint64_t offset = env.party == 0 ? std::uint64_t{1} << 62 : 0;
  Buffer<std::uint64_t> sum(chunk_words(n));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = own.first(r.size);
    env.source.masks({masked});
    for (std::size_t j = 0; j < r.size; ++j) masked[j] += x[r.begin + j] + offset;
    return r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Words c = sum.span().first(own.size());
    ring::add(c, own, theirs);
    use(i, c);
  };
  run_exchange(env, other(env.party), {num_chunks(n), chunk_words(n), produce, consume});
}

// In: c public, z = share of (r mod 2^63) >> f, top = share of msb(r). Out: z, the quotient.
void close_quotient(int party, unsigned f, Words z, ConstWords c, ConstWords top) {
  const std::uint64_t mine = party == 0 ? 1 : 0;
  for (std::size_t j = 0; j < z.size(); ++j) {
    const std::uint64_t c_top = c[j] >> 63;
    const std::uint64_t wrapped = c_top * mine + (1 - 2 * c_top) * top[j];
    const std::uint64_t known = ((c[j] & kLow63) >> f) - (std::uint64_t{1} << (62 - f));
    z[j] = known * mine - z[j] + (wrapped << (63 - f));
  }
}

void truncate_exact_block(Env& env, Words out, ConstWords x, unsigned f) {
  const std::size_t n = x.size();
  Plan plan = truncate_exact_plan(n, f);
  env.source.plan(env.step, plan);
  const std::size_t words_max = petcore::bits::num_words(chunk_words(n));
  Buffer<std::uint64_t> top(chunk_words(n)), low(f * words_max), c_slices(64 * words_max);
  Slices g(n, f), p(n, f);
  open_shifted(env, x, [&](std::size_t i, Words c) {
    const std::size_t words = g.words_in(i);
    const Words z = out.subspan(chunk_at(i, n).begin, c.size());
    const Words low_i = low.span().first(f * words), c_i = c_slices.span().first(64 * words);
    env.source.products({z, top.span().first(c.size()), low_i});
    close_quotient(env.party, f, z, c, top.span());
    petcore::bits::to_slices(c_i, c);
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c_i.first(f * words), low_i);
  });
  run_layers(env, g, p, reduce_layers(f));
  Buffer<std::uint64_t> packed(petcore::bits::num_words(n)), carry(n);
  g.gather(packed.span(), 0);
  convert_bits(env, carry.span(), packed.span());
  ring::sub(out, out, carry.span());
  env.source.finish();
}

}  // namespace

Plan truncate_exact_plan(std::size_t n, unsigned f) {
  Plan plan{{.kind = Kind::exact_truncation, .units = n, .dims = {f}}};
  append_layers(plan, n, reduce_layers(f));
  plan.push_back({.kind = Kind::dabit, .units = n});
  return plan;
}

// x' = x + 2^62 is below 2^63, so the sum of its two shares wraps unless both are below 2^63. Party
// 0 divides its share rounding down and party 1 rounding up, whose sum is the quotient, or one more
// as often as the remainder says, and 2^(64 - f) too much where the shares wrap.
void divide(Env& env, Words out, ConstWords x, unsigned f) {
  const std::size_t n = x.size();
  const std::uint64_t offset = env.party == 0 ? std::uint64_t{1} << 62 : 0;
  const std::uint64_t round = env.party == 0 ? 0 : (std::uint64_t{1} << f) - 1;
  const std::uint64_t known = env.party == 0 ? (std::uint64_t{1} << (64 - f)) + (offset >> f) : 0;
  const auto low = [&](Range r, Words bits) {
    for (std::size_t j = 0; j < r.size; ++j)
      bits[j / 64] |= (~(x[r.begin + j] + offset) >> 63) << (j % 64);
  };
  const auto finish = [&](Range r, ConstWords both_low) {
    for (std::size_t j = 0; j < r.size; ++j) {
      const std::uint64_t share = x[r.begin + j] + offset;
      const std::uint64_t rest = ((share & ((std::uint64_t{1} << f) - 1)) + round) >> f;
      out[r.begin + j] = (share >> f) + rest + (both_low[j] << (64 - f)) - known;
    }
  };
  multiply_own_bits(env, n, quotient_width(f), low, finish);
}

void Semi2k::truncate(Env& env, Words out, ConstWords x, unsigned f) const {
  Request request = own_bits_request(x.size(), quotient_width(f));
  env.source.plan(env.step, {&request, 1});
  divide(env, out, x, f);
  env.source.finish();
}

void Semi2k::truncate_exact(Env& env, Words out, ConstWords x, unsigned f) const {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    truncate_exact_block(env, out.subspan(begin, size), x.subspan(begin, size), f);
  });
}

}  // namespace petcore::protocol::semi2k
