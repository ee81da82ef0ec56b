// Keys for [x < alpha] and [x == alpha]: x public, alpha secret, the bit shared between two
// parties.
//
//   Papers: Guo, Yang, Wang, Zhang, Xie, Liu, Zhao, "Half-tree" (EUROCRYPT 2023), section 5, for
//   the
//           tree; Gupta et al., "SIGMA" (PETS 2024), section 4, for a comparison from one point
//           function and for stopping early at a leaf of 128 positions; Guo, Katz, Wang, Yu (S&P
//           2020) for the hash (hash/crh.h), which is never keyed again.
//   Functionality: one who knows alpha and two random roots makes correction words, the same for
//           both parties. From one root, the corrections and x each party gets one share of the
//           bit, the exclusive or of which is the value of the function; one key serves any number
//           of x.
//   Assumption: the hash is tweakable circular correlation robust. Its tweak is (id, level, index
//   of
//           the key): what is hashed for one key never helps against another.
//   Key:    16 bytes of root, and 16 max(1, bits - 6) bytes of corrections.
//   AES:    2 max(1, bits - 6) to evaluate, 4 max(1, bits - 6) to make.
//   Leaks:  nothing about alpha to one party, beyond `bits` and the form.
//
// The tree: a node holds a block for each party; its top bit is the control bit. On the way to
// alpha the two blocks differ by Delta, the difference of the roots, with the top bit set;
// everywhere else they are equal. With h = H(node) ^ control * correction, the left child is h and
// the right one h ^ node. So the control bits of a subtree's root tell whether alpha is in it, and
// x < alpha exactly if alpha is in a right sibling of the way to x, or further right in its leaf.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/buffer.h"

namespace petcore::fss {

enum class Form : std::uint8_t { below, point };

constexpr unsigned kLeafBits = 7;
constexpr std::size_t kBlockWords = 2;

struct Shape {
  unsigned bits;  // of x and alpha, 1 to 64; those above are not looked at
  Form form;
  unsigned levels() const { return bits > kLeafBits ? bits - kLeafBits : 0; }
  std::size_t key_words() const { return kBlockWords * (levels() + 1); }
};

// Label: no two keys ever made have the same id and number.
struct Label {
  std::uint64_t id;     // below 2^56
  std::uint64_t first;  // the number of the first key
};

// Keys lie in tiles of kTile (the last may be shorter), level by level within a tile, the leaf
// last: a tile is read once, from front to back.
constexpr std::size_t kTile = 64;

// make writes the corrections of alpha.size() keys: key_words() words for each. Roots are random,
// kBlockWords words a key; their top bits do not matter. No branch and no address depends on a
// secret. Sizes that do not fit raise Code::usage.
void make(Words keys, ConstWords alpha, ConstWords roots0, ConstWords roots1, Shape shape,
          Label label, std::string_view target = "");

// evaluate writes this party's shares, packed, for x.size() keys.
void evaluate(Words out, ConstWords x, int party, ConstWords roots, ConstWords keys, Shape shape,
              Label label, std::string_view target = "");

std::vector<std::string_view> targets();
std::string_view chosen_target();  // where the caller forces none

}  // namespace petcore::fss
