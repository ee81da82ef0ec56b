// Residues modulo 2^64 - 1 and 2^128 - 1, where multiplying by a power of two is a rotation, so
// that 2^(e mod 64) = 2^e. Zero has two forms, 0 and all ones. No branch depends on a value.
#pragma once

#include <bit>
#include <cstdint>

namespace petcore::ring {

__extension__ using uint128 = unsigned __int128;

// Residues modulo 2^64 - 1; the carry out of the top comes back at the bottom.
inline std::uint64_t residue_add(std::uint64_t x, std::uint64_t y) {
  const std::uint64_t sum = x + y;
  return sum + (sum < x ? 1 : 0);
}
inline std::uint64_t residue_sub(std::uint64_t x, std::uint64_t y) { return residue_add(x, ~y); }
inline std::uint64_t residue_mul(std::uint64_t x, std::uint64_t y) {
  const uint128 product = static_cast<uint128>(x) * y;
  return residue_add(static_cast<std::uint64_t>(product),
                     static_cast<std::uint64_t>(product >> 64));
}

// Wide: a residue modulo 2^128 - 1; two words, the lower first.
inline uint128 load_wide(const std::uint64_t* from) {
  return from[0] | static_cast<uint128>(from[1]) << 64;
}
inline void store_wide(std::uint64_t* to, uint128 x) {
  to[0] = static_cast<std::uint64_t>(x);
  to[1] = static_cast<std::uint64_t>(x >> 64);
}
// The carry comes from the top bits: of a comparison of two words each, compilers make a branch.
inline uint128 wide_add(uint128 x, uint128 y) {
  const uint128 sum = x + y;
  const auto x1 = static_cast<std::uint64_t>(x >> 64), y1 = static_cast<std::uint64_t>(y >> 64);
  const auto sum1 = static_cast<std::uint64_t>(sum >> 64);
  return sum + (((x1 & y1) | ((x1 | y1) & ~sum1)) >> 63);
}
inline uint128 wide_sub(uint128 x, uint128 y) { return wide_add(x, ~y); }
// wide_rotate is x 2^bits, bits below 128.
inline uint128 wide_rotate(uint128 x, unsigned bits) {
  return x << bits | x >> ((128 - bits) & 127);
}
inline uint128 wide_mul(uint128 x, uint128 y) {
  const auto x0 = static_cast<std::uint64_t>(x), x1 = static_cast<std::uint64_t>(x >> 64);
  const auto y0 = static_cast<std::uint64_t>(y), y1 = static_cast<std::uint64_t>(y >> 64);
  // x1 y1 2^128 = x1 y1, and a middle term times 2^64 is that term with its halves exchanged.
  const uint128 middle0 = static_cast<uint128>(x0) * y1, middle1 = static_cast<uint128>(x1) * y0;
  const uint128 middle = wide_add(wide_rotate(middle0, 64), wide_rotate(middle1, 64));
  const uint128 ends = wide_add(static_cast<uint128>(x0) * y0, static_cast<uint128>(x1) * y1);
  return wide_add(ends, middle);
}

}  // namespace petcore::ring
