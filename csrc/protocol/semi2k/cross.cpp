#include "protocol/semi2k/cross.h"

#include <algorithm>
#include <cstring>

#include "bits/bits.h"
#include "bits/flags.h"
#include "bits/gates.h"

namespace petcore::protocol::semi2k {
namespace {

// With e = n0 ^ a and d = n1 ^ b opened: n0 n1 = d n0 + (1 - 2d) e b + (1 - 2d)(1 - 2e) ab, where
// party 0 knows n0, party 1 knows b and both hold shares of ab. In: z, the share of ab.
void close_products(int party, Words z, ConstWords own, ConstWords theirs, ConstWords bits) {
  Buffer<std::uint64_t> flip(own.size()), plus(own.size()), minus(own.size());
  petcore::bits::exclusive_or(flip.span(), own, theirs);
  for (std::size_t w = 0; w < own.size(); ++w) {
    const std::uint64_t e = party == 0 ? own[w] : theirs[w], d = party == 0 ? theirs[w] : own[w];
    // The term that this party adds: d n0, or e b with the sign of 1 - 2d.
    plus[w] = party == 0 ? d & bits[w] : e & bits[w] & ~d;  // b = n1 ^ d
    minus[w] = party == 0 ? 0 : e & ~bits[w] & d;
  }
  petcore::bits::turn_add(z, z, flip.span(), plus.span(), minus.span());
}

// Spreads numbers of 32 bits, two to a word, over as many words; the bits above mean nothing.
void spread_halves(Words out, ConstWords in) {
  const auto* from = reinterpret_cast<const std::byte*>(in.data());
  for (std::size_t j = 0; j < out.size(); ++j) {
    std::uint32_t half;
    std::memcpy(&half, from + j * sizeof half, sizeof half);
    out[j] = half;
  }
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
    petcore::bits::exclusive_or(masked, masked, known);
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
