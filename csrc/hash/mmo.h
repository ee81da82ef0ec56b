// One-way hash of single blocks under a key that everybody may know.
//
//   H_k(x) = AES_k(x) ^ x
//
// Matyas-Meyer-Oseas. With AES a random permutation under each key (the ideal-cipher model) it is
// one-way and collision resistant, and correlation robust for inputs x ^ h delta with a secret
// delta and h other than 0: who does not know delta finds no such input but by guessing. It takes
// no tweak, so equal inputs have equal hashes: where that tells something use hash/crh.h.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/block.h"
#include "prg/prg.h"

namespace petcore::hash {

class Mmo {
 public:
  explicit Mmo(const prg::Seed& key, std::string_view target = "");
  // operator() hashes every block; out has the size of in (Code::usage otherwise) and may be in,
  // never a partial overlap.
  void operator()(std::span<Block> out, std::span<const Block> in) const;
  // encrypt is AES under the key: a permutation, not a hash.
  void encrypt(std::span<Block> out, std::span<const Block> in) const;

 private:
  const prg::Kernels* kernels_;
  alignas(16) std::array<std::byte, 176> schedule_;
};

}  // namespace petcore::hash
