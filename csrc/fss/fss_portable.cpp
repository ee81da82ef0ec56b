// The portable target, block by block: also what the others are compared with.
#include <array>
#include <cstring>

#include "fss/fss_kernels.h"

namespace petcore::fss {
namespace {

struct Block {
  std::uint64_t low, high;

  Block operator^(Block other) const { return {low ^ other.low, high ^ other.high}; }
  Block operator&(std::uint64_t mask) const { return {low & mask, high & mask}; }
};

Block load(const std::byte* from, std::size_t i) {
  Block block;
  std::memcpy(&block, from + i * kBlockBytes, sizeof block);
  return block;
}
void store(std::byte* to, std::size_t i, Block block) {
  std::memcpy(to + i * kBlockBytes, &block, sizeof block);
}

// The top bit in all bits.
std::uint64_t spread(Block block) { return 0 - (block.high >> 63); }

// The top bit of a path in all bits; the next one becomes the top.
std::uint64_t step(Tile& path, std::size_t i) {
  const Block block = load(path.bytes(), i);
  store(path.bytes(), i, {block.low << 1, block.high << 1});
  return spread(block);
}

void hash(const Hashing& hashing, Tile& out, const Tile& in, std::size_t n) {
  Tile once;
  prg::kPortable->encrypt(hashing.schedule, once.bytes(), in.bytes(), n);
  const Block level = {hashing.level[0], hashing.level[1]};
  for (std::size_t i = 0; i < n; ++i)
    store(out.bytes(), i, load(once.bytes(), i) ^ load(hashing.numbers.bytes(), i) ^ level);
  prg::kPortable->encrypt(hashing.schedule, out.bytes(), out.bytes(), n);
  for (std::size_t i = 0; i < n; ++i)
    store(out.bytes(), i, load(out.bytes(), i) ^ load(once.bytes(), i));
  wipe(&once, sizeof once);
}

void descend(const Hashing& hashing, Tile& node, Tile& path, Tile& sum,
             const std::byte* corrections, std::size_t num_keys) {
  Tile hashed;
  hash(hashing, hashed, node, num_keys);
  for (std::size_t i = 0; i < num_keys; ++i) {
    const Block parent = load(node.bytes(), i);
    const std::uint64_t right = step(path, i);
    const Block left = load(hashed.bytes(), i) ^ (load(corrections, i) & spread(parent));
    const Block next = left ^ (parent & right), sibling = next ^ parent;
    store(sum.bytes(), i, load(sum.bytes(), i) ^ (sibling & ~right));
    store(node.bytes(), i, next);
  }
  wipe(&hashed, sizeof hashed);
}

void correct(const Hashing& hashing, Tile& node, Tile& path, const Tile& delta,
             std::byte* corrections, std::size_t num_keys) {
  Tile mine, theirs;
  for (std::size_t i = 0; i < num_keys; ++i)
    store(theirs.bytes(), i, load(node.bytes(), i) ^ load(delta.bytes(), i));
  hash(hashing, mine, node, num_keys);
  hash(hashing, theirs, theirs, num_keys);
  for (std::size_t i = 0; i < num_keys; ++i) {
    const Block parent = load(node.bytes(), i), hashed = load(mine.bytes(), i);
    const std::uint64_t right = step(path, i);
    const Block correction = hashed ^ load(theirs.bytes(), i) ^ (load(delta.bytes(), i) & ~right);
    store(corrections, i, correction);
    store(node.bytes(), i, hashed ^ (correction & spread(parent)) ^ (parent & right));
  }
  wipe(&mine, sizeof mine);
  wipe(&theirs, sizeof theirs);
}

constexpr Kernels kKernels = {hash, descend, correct};

}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::fss
