// Operations that take bits: AND, bit times word, and bits as words.
#include <algorithm>

#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

std::uint64_t bit_at(ConstWords packed, std::size_t i) { return packed[i / 64] >> (i % 64) & 1; }

// The same chunking as for elements, in packed words.
ConstWords packed_chunk(ConstWords packed, std::size_t i, std::size_t size) {
  return packed.subspan(i * kChunkWords, petcore::bits::num_words(size));
}

}  // namespace

void Semi2k::and_bits(Env& env, Words out, ConstWords x, ConstWords y) const {
  const std::size_t n = x.size();
  Request request{.kind = Kind::and_gate, .units = n};
  env.source.plan(env.step, {&request, 1});
  Buffer<std::uint64_t> c(chunk_words(n));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words d = own.first(r.size), f = own.subspan(r.size, r.size);
    env.source.masks({d, f});
    for (std::size_t w = 0; w < r.size; ++w) {
      d[w] ^= x[r.begin + w];
      f[w] ^= y[r.begin + w];
    }
    return 2 * r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    env.source.products({c.span().first(r.size)});
    for (std::size_t w = 0; w < r.size; ++w) {
      const std::uint64_t d = own[w] ^ theirs[w], f = own[r.size + w] ^ theirs[r.size + w];
      const std::uint64_t a = x[r.begin + w] ^ own[w];
      out[r.begin + w] = (d & y[r.begin + w]) ^ (f & a) ^ c[w];
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * chunk_words(n), produce, consume});
  env.source.finish();
}

// With d = bit ^ r and e = x - a opened: r x = e r + r a, and bit x = d x + (1 - 2d) r x.
void multiply_bits(Env& env, Words out, ConstWords bit, ConstWords x) {
  const std::size_t n = x.size();
  const std::size_t size_max = chunk_words(n), packed_max = petcore::bits::num_words(size_max);
  Buffer<std::uint64_t> r_word(size_max), ra(size_max);
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const ConstWords bits = packed_chunk(bit, i, r.size);
    const Words d = own.first(bits.size()), e = own.subspan(bits.size(), r.size);
    env.source.masks({d, e});
    for (std::size_t w = 0; w < bits.size(); ++w) d[w] ^= bits[w];
    ring::sub(e, x.subspan(r.begin, r.size), e);
    return bits.size() + r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const std::size_t packed = petcore::bits::num_words(r.size);
    env.source.products({r_word.span().first(r.size), ra.span().first(r.size)});
    for (std::size_t j = 0; j < r.size; ++j) {
      const std::uint64_t d = bit_at(own, j) ^ bit_at(theirs, j);
      const std::uint64_t rx = (own[packed + j] + theirs[packed + j]) * r_word[j] + ra[j];
      out[r.begin + j] = d * x[r.begin + j] + (1 - 2 * d) * rx;
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), packed_max + size_max, produce, consume});
}

void Semi2k::mul_bit(Env& env, Words out, ConstWords bit, ConstWords x) const {
  Request request{.kind = Kind::bit_product, .units = x.size()};
  env.source.plan(env.step, {&request, 1});
  multiply_bits(env, out, bit, x);
  env.source.finish();
}

void convert_bits(Env& env, Words out, ConstWords bit) {
  const std::size_t n = out.size();
  const auto produce = [&](std::size_t i, Words own) {
    const ConstWords bits = packed_chunk(bit, i, chunk_at(i, n).size);
    const Words d = own.first(bits.size());
    env.source.masks({d});
    for (std::size_t w = 0; w < bits.size(); ++w) d[w] ^= bits[w];
    return bits.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words z = out.subspan(r.begin, r.size);
    env.source.products({z});
    for (std::size_t j = 0; j < r.size; ++j) {
      const std::uint64_t d = bit_at(own, j) ^ bit_at(theirs, j);
      z[j] = (env.party == 0 ? d : 0) + (1 - 2 * d) * z[j];
    }
  };
  run_exchange(env, other(env.party),
               {num_chunks(n), petcore::bits::num_words(chunk_words(n)), produce, consume});
}

void Semi2k::b2a(Env& env, Words out, ConstWords bit) const {
  Request request{.kind = Kind::dabit, .units = out.size()};
  env.source.plan(env.step, {&request, 1});
  convert_bits(env, out, bit);
  env.source.finish();
}

}  // namespace petcore::protocol::semi2k
