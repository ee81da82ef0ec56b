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
//   Assumption: the hash is tweakable circular correlation robust. Its tweak is (number of the key,
//           level): with numbers that do not repeat, work against one key is no help against
//           another.
//   Key:    16 bytes of root, 16 max(1, bits - 6) bytes of corrections, 8 of number.
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
  std::size_t blocks() const { return std::size_t{levels()} + 1; }  // of a key
};

// Batch: what belongs to n keys. numbers are public and do not repeat; their top bits are not
// looked at. Corrections lie level by level, the leaf last: blocks() rows of n blocks.
template <class Corrections>
struct Batch {
  Shape shape;
  ConstWords numbers;
  Corrections corrections;
};

// make writes the corrections for alpha.size() keys. Roots are random, kBlockWords words a key;
// their top bits are not looked at. No branch and no address depends on a secret. Sizes that do not
// fit raise Code::usage.
void make(const Batch<Words>& batch, ConstWords alpha, ConstWords roots0, ConstWords roots1,
          std::string_view target = "");

// evaluate writes this party's shares, packed, for x.size() keys.
void evaluate(Words out, const Batch<ConstWords>& batch, ConstWords x, int party, ConstWords roots,
              std::string_view target = "");

std::vector<std::string_view> targets();
std::string_view chosen_target();  // where the caller forces none

}  // namespace petcore::fss
