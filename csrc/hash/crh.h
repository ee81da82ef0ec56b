// Correlation-robust hash from AES-128 with a fixed, public key.
//
//   H(x, t) = pi(pi(x) ^ t) ^ pi(x),   pi = AES-128 under the constant key below
//
// TMMO of Guo, Katz, Wang, Yu, "Efficient and Secure Multiparty Computation from Fixed-Key Block
// Ciphers", IEEE S&P 2020, section 7.4: tweakable circular correlation robust when pi is a random
// permutation. A tweak must not repeat for inputs under the same secret offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/block.h"
#include "base/buffer.h"

namespace petcore::prg {
struct Kernels;
}

namespace petcore::hash {

constexpr std::size_t kBlockBytes = 16;

// Tweak is a 128-bit number; within one call the low word counts the blocks (it wraps on its own).
struct Tweak {
  std::uint64_t high = 0, low = 0;
};

// crh hashes block i of `in` under the tweak (first.high, first.low + i), the tweak's low word
// first in memory, little-endian. Both spans have the same size, whole blocks (Code::usage
// otherwise); out may be in, never a partial overlap.
void crh(Bytes out, ConstBytes in, Tweak first, std::string_view target = "");

// expand_fixed_key writes the schedule of the constant key for kernels that hash on their own.
void expand_fixed_key(std::byte* schedule, const prg::Kernels& kernels);

// crh_low_words hashes block i of `in` ^ offset in the same way and keeps the low word.
void crh_low_words(Words out, std::span<const Block> in, Block offset, Tweak first,
                   std::string_view target = "");

}  // namespace petcore::hash
