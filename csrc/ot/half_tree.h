// GGM trees with half the hashing, for one punctured leaf each (Guo, Yang, Wang, Zhang, Xie, Liu,
// Zhao, "Half-Tree: Halving the Cost of Tree Expansion in COT and DPF", EUROCRYPT 2023).
//
//   sender    delta  ->  the leaves v_j of every tree
//   receiver         ->  an index a and leaves w_j = v_j for j != a
//   kind correlated       w_a = v_a ^ delta                (figure 4, cGGM; ~1 hash for 2 leaves)
//   kind pseudorandom     w_a = v_a ^ offset               (figure 5, pcGGM; ~1.5 hashes for 2)
//
// where for the pseudorandom kind the sender holds `owned` and the receiver `held` with
// owned = held ^ offset. The indices come from the choices of the base transfers: level i of a tree
// takes one, with q on the sender's side and t = q ^ r delta on the receiver's, and the path turns
// to the side 1 - r. Nothing else of the receiver's reaches the sender.
//
// Hash: pi(s(x)) ^ s(x), s(low, high) = (low ^ high, low), pi = AES-128 under a public key drawn
// for each batch of trees; circular correlation robust when pi is an ideal permutation (Guo, Katz,
// Wang, Yu, IEEE S&P 2020, section 7.3).
// Adversary: semi-honest. Leaks: nothing but the number and depth of the trees.
// What the receiver does reads and writes the same addresses whatever the indices are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "base/pool.h"
#include "prg/prg.h"

namespace petcore::ot {

enum class TreeKind : std::uint8_t { correlated, pseudorandom };

constexpr unsigned kTreeDepthMin = 2, kTreeDepthMax = 24;

struct Forest {
  std::size_t trees;
  unsigned depth;  // 2^depth leaves each
  TreeKind kind;
  std::uint64_t first_tweak = 0;  // trees under one delta have had these numbers before

  std::size_t leaves() const { return std::size_t{1} << depth; }
  std::size_t transfers() const { return trees * depth; }  // base transfers, tree by tree
  // blocks the sender tells for each tree
  std::size_t told() const { return kind == TreeKind::correlated ? depth : depth + 2; }
  std::size_t message_blocks() const { return trees * told(); }
};

// Leaves takes the leaves of one tree: (tree, the leaves). It is called once for each tree, by any
// thread of the pool.
using Leaves = std::function<void(std::size_t tree, std::span<const Block> leaves)>;

// grow makes the sender's trees from fresh seeds of the system and fills the message.
// q has transfers() blocks; owned has one for each tree (none for the correlated kind).
struct Grower {
  Forest forest;
  Block delta;
  prg::Seed hash_key;
  std::span<const Block> q, owned;
};
void grow(const Grower& grower, std::span<Block> message, Pool& pool, const Leaves& leaves);

// regrow makes the receiver's trees. choices are the bits of the base transfers, packed. Leaves
// takes besides the index of the leaf that differs.
struct Regrower {
  Forest forest;
  prg::Seed hash_key;
  ConstWords choices;
  std::span<const Block> t, held, message;
};
using PuncturedLeaves =
    std::function<void(std::size_t tree, std::span<const Block> leaves, std::size_t index)>;
void regrow(const Regrower& regrower, Pool& pool, const PuncturedLeaves& leaves);

}  // namespace petcore::ot
