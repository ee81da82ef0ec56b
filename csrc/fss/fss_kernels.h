// What one target provides: a level of the tree for the keys of a tile, side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fss/tree.h"
#include "prg/prg_kernels.h"

namespace petcore::fss {

constexpr std::size_t kBlockBytes = prg::kBlockBytes;
// Keys are worked on in tiles: the shares of one fill a word.
constexpr std::size_t kTile = 64;

// A block for each key of a tile. Kernels take whole tiles: what lies beyond the last key is
// rubbish, read and written.
struct alignas(64) Tile {
  std::uint64_t words[kTile * kBlockWords];

  std::uint64_t* block(std::size_t i) { return words + kBlockWords * i; }
  std::byte* bytes() { return reinterpret_cast<std::byte*>(words); }
  const std::byte* bytes() const { return reinterpret_cast<const std::byte*>(words); }
};

// The key schedule and the tweak, that of key i being numbers.block(i) ^ level.
struct Hashing {
  const std::byte* schedule;
  const Tile& numbers;
  std::uint64_t level[kBlockWords];
};

struct Kernels {
  // hash is that of crh.h; out may be in.
  void (*hash)(const Hashing& hashing, Tile& out, const Tile& in, std::size_t num_keys);
  // descend goes one level down, by the top bit of every block of path, which is then shifted out;
  // exclusive-ors the right sibling into sum where the way goes left.
  void (*descend)(const Hashing& hashing, Tile& node, Tile& path, Tile& sum,
                  const std::byte* corrections, std::size_t num_keys);
  // correct makes the corrections of one level and goes down, by the same rule, on the way of
  // party 0; the other party's differs by delta.
  void (*correct)(const Hashing& hashing, Tile& node, Tile& path, const Tile& delta,
                  std::byte* corrections, std::size_t num_keys);
};

struct Target {
  std::string_view name;
  const Kernels& kernels;
  const prg::Kernels& aes;  // of the same name
};
Target choose(std::string_view target);

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kVaes512;
extern const Kernels* const kVaes256;
extern const Kernels* const kAesni;
extern const Kernels* const kNeon;
extern const Kernels* const kPortable;

}  // namespace petcore::fss
