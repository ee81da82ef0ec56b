#include "protocol/semi2k/halves.h"

#include "bits/bits.h"
#include "protocol/semi2k/slices.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::half_words;

std::uint64_t bit_at(ConstWords own, ConstWords theirs, std::size_t begin, std::size_t j) {
  return (own[begin + j / 64] ^ theirs[begin + j / 64]) >> (j % 64) & 1;
}

std::uint64_t half_at(ConstWords halves, std::size_t j) { return halves[j / 2] >> (32 * (j % 2)); }

// x = x - y, 32 bits at a time.
void subtract_halves(Words x, ConstWords y) {
  for (std::size_t j = 0; j < x.size(); ++j) {
    const std::uint64_t low = static_cast<std::uint32_t>(x[j] - y[j]);
    x[j] = low | ((x[j] >> 32) - (y[j] >> 32)) << 32;
  }
}

}  // namespace

correlation::Request select_request(std::size_t n, bool has_other) {
  return {.kind = correlation::Kind::half_select, .units = n, .dims = {has_other ? 1u : 0u}};
}

std::uint64_t select_words(std::size_t n, bool has_other) {
  return (has_other ? 2 : 1) * petcore::bits::num_words(n) + half_words(n);
}

// With d = bit ^ r and e = x - a opened: r x = e r + r a, and bit x = d x + (1 - 2d) r x.
void select_halves(Env& env, Words value, ConstWords bit, ConstWords other_bit,
                   std::uint64_t limit) {
  const std::size_t n = value.size(), size_max = chunk_words(n), half_max = half_words(size_max);
  const bool has_other = !other_bit.empty();
  Buffer<std::uint64_t> e(size_max), mask(half_max), r_word(half_max), ra(half_max),
      other_word(has_other ? half_max : 0);
  const auto produce = [&](std::size_t i, Words own) {
    const std::size_t size = chunk_at(i, n).size, packed = petcore::bits::num_words(size);
    const std::size_t halves = half_words(size), begin = i * kChunkWords;
    const Words d = own.first(packed), opened = own.subspan(packed, halves);
    const Words t = own.subspan(packed + halves, has_other ? packed : 0);
    const Words mask_i = mask.span().first(halves);
    if (has_other)
      env.source.masks({d, mask_i, t});
    else
      env.source.masks({d, mask_i});
    for (std::size_t w = 0; w < packed; ++w) d[w] ^= bit[begin + w];
    for (std::size_t w = 0; w < t.size(); ++w) t[w] ^= other_bit[begin + w];
    petcore::bits::narrow(opened, value.subspan(chunk_at(i, n).begin, size), 4);
    subtract_halves(opened, mask_i);
    return packed + halves + t.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range range = chunk_at(i, n);
    const std::size_t packed = petcore::bits::num_words(range.size);
    const std::size_t halves = half_words(range.size);
    const Words r_i = r_word.span().first(halves), ra_i = ra.span().first(halves);
    const Words other_i = other_word.span().first(has_other ? halves : 0);
    const Words e_i = e.span().first(range.size);
    if (has_other)
      env.source.products({r_i, ra_i, other_i});
    else
      env.source.products({r_i, ra_i});
    petcore::bits::widen_sum(e_i, own.subspan(packed, halves), theirs.subspan(packed, halves), 4);
    const Words z = value.subspan(range.begin, range.size);
    for (std::size_t j = 0; j < range.size; ++j) {
      const std::uint64_t d = bit_at(own, theirs, 0, j);
      const std::uint64_t rx = e_i[j] * half_at(r_i, j) + half_at(ra_i, j);
      z[j] = d * z[j] + (1 - 2 * d) * rx;
    }
    const std::uint64_t mine = env.party == 0 ? 1 : 0;
    for (std::size_t j = 0; has_other && j < range.size; ++j) {
      const std::uint64_t t = bit_at(own, theirs, packed + halves, j);
      z[j] += (t * mine + (1 - 2 * t) * half_at(other_i, j)) * limit;
    }
  };
  run_exchange(env, other(env.party),
               {num_chunks(n), select_words(size_max, has_other), produce, consume});
}

correlation::Request widen_request(std::size_t n, unsigned drop) {
  return own_bits_request(n, drop == 0 ? 32 : 64);
}

// value + offset is below 2^31, so its two shares wrap unless both are below 2^31 (truncate.cpp).
void widen_halves(Env& env, Words out, ConstWords value, unsigned drop, std::uint64_t offset,
                  std::uint64_t minus) {
  const std::uint64_t own_offset = env.party == 0 ? offset : 0;
  const auto share = [&](std::size_t j) { return (value[j] + own_offset) & 0xffffffff; };
  const std::uint64_t round = env.party == 0 ? 0 : (std::uint64_t{1} << drop) - 1;
  const std::uint64_t known =
      env.party == 0 ? (std::uint64_t{1} << (32 - drop)) + (offset >> drop) + minus : 0;
  const auto low = [&](Range r, Words bits) {
    for (std::size_t j = 0; j < r.size; ++j)
      bits[j / 64] |= (~(share(r.begin + j) >> 31) & 1) << (j % 64);
  };
  const auto finish = [&](Range r, ConstWords both_low) {
    for (std::size_t j = 0; j < r.size; ++j)
      out[r.begin + j] =
          ((share(r.begin + j) + round) >> drop) + (both_low[j] << (32 - drop)) - known;
  };
  multiply_own_bits(env, out.size(), drop == 0 ? 32 : 64, low, finish);
}

}  // namespace petcore::protocol::semi2k
