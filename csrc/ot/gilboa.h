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

constexpr std::size_t kGilboaBytes = 32 * 8 + 4;

// Wire is where the corrections of n numbers lie: 32 n words, then n halves.
struct Wire {
  std::byte* words;
  std::byte* halves;
};
struct ConstWire {
  const std::byte* words;
  const std::byte* halves;
};

// Modulo 2^64; x and y are 64 words for each of n numbers. share_i is changed by the party's share
// of product i; w_i and share_i lie `step` words apart.
struct Column {
  std::size_t n, step;
};
void send_words(const Column& column, std::uint64_t* share, const std::uint64_t* w,
                const std::uint64_t* x, const std::uint64_t* y, Wire wire);
void take_words(const Column& column, std::uint64_t* share, const std::uint64_t* c,
                std::size_t c_step, const std::uint64_t* pads, ConstWire wire);

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
