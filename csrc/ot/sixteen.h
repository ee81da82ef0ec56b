// Sixteen pads of four correlated transfers, of which the receiver knows one. A transfer's choices
// are elements of GF(2^128) as well: of the four transfers (q_b, t_b) of an index c, Q = sum x^b
// q_b and T = sum x^b t_b differ by c delta, c read as a polynomial. So the hash of Q ^ v delta is
// a pad for entry v, and T hashes to that of c (Roy, CRYPTO 2022, ePrint 2022/192: transfers of 1
// of 2^k; Kolesnikov, Kumaresan, CRYPTO 2013). The sixteen multiples of delta are distinct.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "base/buffer.h"
#include "ot/cot.h"

namespace petcore::ot {

constexpr std::size_t kIndexBits = 4, kEntries = 16;

// join gives sum x^b of the four transfers of each index: x holds all of bit 0, then of bit 1, ...
Buffer<Block> join(std::span<const Block> x);
// multiples_of gives v delta for every v.
std::array<Block, kEntries> multiples_of(Block delta);

}  // namespace petcore::ot
