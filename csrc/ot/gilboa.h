// The arithmetic of products by oblivious transfer, number by number: party S has w, party R the
// bits c_j of a number; of transfer j S knows two pads x_j and y_j, R the one of c_j. S sends d_j =
// x_j - y_j + w and keeps -sum x_j 2^j; R has sum (pad_j + c_j d_j) 2^j. The two add up to the
// product.
//
// Modulo 2^64 only the lowest 64 - j bits of d_j count. d_j and d_(64-j) fill one word, so that a
// number takes 32 words and, for d_32, half a word.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "ot/cot.h"

namespace petcore::ot {

constexpr std::size_t kGilboaWords = 32;
constexpr std::size_t kGilboaBytes = 8 * kGilboaWords + 4;

// Wire is where the corrections of n numbers lie: 32 n words, then n halves.
struct Wire {
  std::uint64_t* words;
  std::uint32_t* halves;
};
struct ConstWire {
  const std::uint64_t* words;
  const std::uint32_t* halves;
};

// Modulo 2^64 (ot_kernels.h): x and y are 64 words for each of n numbers. The party's share of
// product i is added to share[i * step]; w_i lies at w[i * step].
struct Column {
  std::size_t n, step;
};

// Modulo 2^64 - 1; 64 words on the wire for each number.
void send_residues(std::uint64_t* share, const std::uint64_t* w, std::size_t n,
                   const std::uint64_t* x, const std::uint64_t* y, std::byte* wire);
void take_residues(std::uint64_t* share, const std::uint64_t* c, std::size_t n,
                   const std::uint64_t* pads, const std::byte* wire);

// Modulo 2^128 - 1; two words each, 128 blocks on the wire for each number.
void send_wide(std::uint64_t* share, const std::uint64_t* w, std::size_t n, const Block* x,
               const Block* y, std::byte* wire);
void take_wide(std::uint64_t* share, const std::uint64_t* c, std::size_t n, const Block* pads,
               const std::byte* wire);

}  // namespace petcore::ot
