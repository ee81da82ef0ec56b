#include "ot/sixteen.h"

namespace petcore::ot {
namespace {

// In GF(2^128) of ring/gf128.h.
Block times_x(Block a) {
  const std::uint64_t top = 0 - (a.high >> 63);
  return {a.low << 1 ^ (top & 0x87), a.high << 1 | a.low >> 63};
}

}  // namespace

Buffer<Block> join(std::span<const Block> x) {
  const std::size_t n = x.size() / kIndexBits;
  Buffer<Block> out(n);
  for (std::size_t i = 0; i < n; ++i) {
    Block sum = x[3 * n + i];
    for (std::size_t b = 3; b-- > 0;) sum = times_x(sum) ^ x[b * n + i];
    out[i] = sum;
  }
  return out;
}

std::array<Block, kEntries> multiples_of(Block delta) {
  std::array<Block, kEntries> out{};
  for (std::size_t v = 1; v < kEntries; ++v)
    out[v] = times_x(out[v / 2]) ^ (v % 2 == 1 ? delta : Block{});
  return out;
}

}  // namespace petcore::ot
