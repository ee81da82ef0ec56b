#include "protocol/semi2k/cross.h"

#include <algorithm>

#include "bits/bits.h"

namespace petcore::protocol::semi2k {
namespace {

constexpr std::uint64_t kLow32 = 0xffffffff;

// With e = n0 ^ a and d = n1 ^ b opened: n0 n1 = d n0 + (1 - 2d) e b + (1 - 2d)(1 - 2e) ab, where
// party 0 knows n0, party 1 knows b and both hold shares of ab. In: z, the share of ab.
void close_products(int party, Words z, ConstWords own, ConstWords theirs, ConstWords bits) {
  for (std::size_t w = 0; w < own.size(); ++w) {
    const std::uint64_t e = party == 0 ? own[w] : theirs[w], d = party == 0 ? theirs[w] : own[w];
    // The term that this party adds: d n0, or e b with the sign of 1 - 2d.
    const std::uint64_t term = party == 0 ? d & bits[w] : e & (d ^ bits[w]);
    const std::uint64_t negative = party == 0 ? 0 : d, flip = d ^ e;
    const std::size_t count = std::min<std::size_t>(64, z.size() - 64 * w);
    for (std::size_t j = 0; j < count; ++j) {
      const std::uint64_t minus = 0 - (negative >> j & 1), turn = 0 - (flip >> j & 1);
      std::uint64_t& share = z[64 * w + j];
      share = ((share ^ turn) - turn) + (((term >> j & 1) ^ minus) - minus);
    }
  }
}

// Spreads numbers of 32 bits, two to a word, over as many words; the bits above mean nothing.
void spread_halves(Words out, ConstWords in) {
  for (std::size_t j = 0; j + 1 < out.size(); j += 2) {
    out[j] = in[j / 2] & kLow32;
    out[j + 1] = in[j / 2] >> 32;
  }
  if (out.size() % 2 == 1) out[out.size() - 1] = in[out.size() / 2] & kLow32;
}

}  // namespace

correlation::Request own_bits_request(std::size_t n, unsigned width) {
  return {.kind = correlation::Kind::cross_bit, .units = n, .dims = {width}};
}

void multiply_own_bits(Env& env, std::size_t n, unsigned width,
                       const std::function<void(Range, Words)>& own_bits,
                       const std::function<void(Range, ConstWords)>& use) {
  const std::size_t packed_max = petcore::bits::num_words(chunk_words(n));
  Buffer<std::uint64_t> bits(petcore::bits::num_words(n)), z(chunk_words(n));
  Buffer<std::uint64_t> halves(width == 64 ? 0 : correlation::half_words(chunk_words(n)));
  std::fill(bits.begin(), bits.end(), 0);
  const auto bits_of = [&](Range r) {
    return bits.span().subspan(r.begin / 64, petcore::bits::num_words(r.size));
  };
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words known = bits_of(r), masked = own.first(known.size());
    own_bits(r, known);
    env.source.masks({masked});
    for (std::size_t w = 0; w < known.size(); ++w) masked[w] ^= known[w];
    return known.size();
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words z_i = z.span().first(r.size);
    if (width == 64) {
      env.source.products({z_i});
    } else {
      const Words packed = halves.span().first(correlation::half_words(r.size));
      env.source.products({packed});
      spread_halves(z_i, packed);
    }
    close_products(env.party, z_i, own, theirs, bits_of(r));
    use(r, z_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), packed_max, produce, consume});
}

}  // namespace petcore::protocol::semi2k
