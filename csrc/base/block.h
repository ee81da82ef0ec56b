// Block: 128 bits as correlations, seeds of trees and elements of GF(2^128) use them.
#pragma once

#include <cstdint>

namespace petcore {

// Bit i of `low` is bit i of the block, bit i of `high` bit 64 + i; 16 bytes in memory order.
struct alignas(16) Block {
  std::uint64_t low = 0, high = 0;
  friend Block operator^(Block x, Block y) { return {x.low ^ y.low, x.high ^ y.high}; }
  friend Block operator&(Block x, Block y) { return {x.low & y.low, x.high & y.high}; }
  Block& operator^=(Block y) { return *this = *this ^ y; }
  bool operator==(const Block&) const = default;
};

// mask_of is all ones for bit 1 and zero for bit 0, without a branch.
inline Block mask_of(std::uint64_t bit) { return {~bit + 1, ~bit + 1}; }

// equal_bit is 1 if x is y, else 0, without a branch.
inline std::uint64_t equal_bit(std::uint64_t x, std::uint64_t y) {
  const std::uint64_t differ = x ^ y;
  return 1 ^ ((differ | (~differ + 1)) >> 63);
}

}  // namespace petcore
