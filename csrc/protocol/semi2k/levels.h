// Levels: how large a secret number is, as the shared count of the powers of four that it is below.
//
// c = x + r is public and the digits of r, two bits each, are tabulated. For the digits from level
// a up, x is below 4^a in magnitude if those of c and r differ by 0 or 1, or by -1 for x below
// zero: the digits below decide which, and are not looked at, so that x may be up to twice as
// large. A scan from the top (Sklansky, IRE Trans. EC-9(2), 1960) folds the digits; whether a
// borrow passes through a digit of c is public.
#pragma once

#include <vector>

#include "correlation/tables.h"
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {

// LevelShape: x is taken mod 4^digits; levels first to last - 1 are counted, so that a count of k
// means 4^(last - k - 1) <= |x| <= 2 4^(last - k) where it is between 1 and the most. codes[k]
// stands for a count of k, codes[most + 1] for zero; a code is below 64.
struct LevelShape {
  unsigned digits;
  bool is_signed;
  unsigned first, last;
  std::vector<std::uint8_t> codes;

  unsigned most() const { return last - first; }
  std::size_t states() const { return is_signed ? 3 : 2; }
  correlation::Digits tables() const { return {.low = 0, .bits = 2, .count = digits}; }
};

// measure_levels gives the codes, shared in Z_2^8, and shares of x that are uniform.
// Rounds: 2 and one for each layer of the scan. Leaks: nothing.
void measure_levels(Env& env, std::span<std::uint8_t> codes, Words fresh, ConstWords x,
                    const LevelShape& shape);
void append_levels(Plan& plan, std::size_t n, const LevelShape& shape);

}  // namespace petcore::protocol::semi2k
