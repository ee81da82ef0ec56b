// How much noise a silent extension takes: dual learning parity with noise (LPN, syndrome decoding)
// with regular noise, one noisy place in each of `trees` runs of 2^depth, under the code of
// expand_convolute.h (rate 1/2).
//
// Parameters. At least kNoiseMin = 256 runs, so that
//   - a linear test needs a word of relative weight below 0.146 to distinguish with an advantage
//     over 2^-128, (1 - 2 weight)^256 (Couteau, Rindal, Raghuraman, CRYPTO 2021, section 3). That
//     this code, as codes of its kind (Raghuraman, Rindal, Tanguy, CRYPTO 2023), has no such word
//     that can be found is an estimate, not a proof;
//   - information-set decoding, which may take half of every run as free of noise, succeeds once
//     in 2^256 tries of linear algebra on k unknowns (Liu, Wang, Yang, Yu, "The Hardness of LPN
//     over Any Integer Ring and Field for PCG Applications", EUROCRYPT 2024);
//   - the algebraic attack on regular noise (Briaud, Oygarden, "A New Algebraic Approach to the
//     Regular Syndrome Decoding Problem", EUROCRYPT 2023) gains nothing at rate 1/2: by its
//     Hilbert series with guessed zeros it stays above that.
// So security is meant to be 128 bits, bounded by linear tests and by AES.
#pragma once

#include <cstddef>

namespace petcore::ot {

constexpr std::size_t kNoiseMin = 256;
constexpr unsigned kNoiseDepthMin = 8;

struct NoiseShape {
  std::size_t trees;
  unsigned depth;

  std::size_t leaves() const { return trees << depth; }
  std::size_t outputs() const { return leaves() / 2; }
  bool operator==(const NoiseShape&) const = default;
};

// noise_for is the shape with the fewest trees that gives n outputs or little more; trees is even.
NoiseShape noise_for(std::size_t n);

}  // namespace petcore::ot
