// Harmonics: cosine and sine of the multiples of angles given as words, in double precision.
//
// Both parties round combinations of them to words and must get the same words on every machine:
// hence only additions and multiplications that IEEE 754 rounds in one way (the build forbids
// contracting them), no library function, no table that an angle would index.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/buffer.h"

namespace petcore::correlation {

class Harmonics {
 public:
  static constexpr std::size_t kBlock = 256;
  using Row = std::array<double, kBlock>;

  // An angle is 2 pi (x mod 2^period_bits) / 2^period_bits, for at most kBlock words x and
  // 1 <= period_bits <= 64. It begins at the first multiple; each next() adds `step`, 1 or 2.
  Harmonics(ConstWords x, unsigned period_bits, unsigned step);
  const Row& cosine() const { return cosine_; }
  const Row& sine() const { return sine_; }
  void next();

 private:
  Row cosine_{}, sine_{}, cosine_step_{}, sine_step_{};
};

// round_scaled is the integer nearest to value 2^scale, below 2^51 in magnitude.
inline std::uint64_t round_scaled(double value, double power_of_two) {
  // Adding 1.5 2^52 leaves the integer in the low bits of the mantissa.
  constexpr double kShift = 6755399441055744.0;
  return std::bit_cast<std::uint64_t>(value * power_of_two + kShift) -
         std::bit_cast<std::uint64_t>(kShift);
}

}  // namespace petcore::correlation
