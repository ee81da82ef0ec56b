// The linear code of silent extensions: an expand-convolute code of rate 1/2 over GF(2), applied
// the transposed way, which compresses 2k noisy blocks to k that look random (dual LPN).
//
//   out_j = e_j + sum over 7 positions p of row j of (A' A e'')_p,   e = (e', e''), 0 <= j < k
//
// Raghuraman, Rindal, Tanguy, "Expand-Convolute Codes for Pseudorandom Correlation Generators from
// LPN", CRYPTO 2023: systematic, expander weight 7, convolutions of 24 taps.
//   - A: y_i = x_i + sum_{d=1..24} r_{i,d} y_{i-d}, r uniform but for r_{i,24} = 1, so that a state
//     that is not zero never becomes zero.
//   - A': the same from the last block to the first. One convolution leaves words light whose
//     positions all lie near the end; two in opposite directions make every word dense.
//   - The seven positions of a row are uniform, one in each seventh of the blocks.
// Coefficients and positions come from AES-128-CTR under fixed public keys and are the same for
// all who use the same k.
//
// No address and no branch depends on a block.
#pragma once

#include <cstddef>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "base/pool.h"

namespace petcore::ot {

constexpr std::size_t kExpanderWeight = 7, kTaps = 24;

// Pair is two codes' words side by side, which then share the work of finding positions.
struct alignas(32) Pair {
  Block a, c;
};

// compress writes the first outputs out_j over e_j in `head`, of which there may be fewer than k,
// from e'' in `tail` (k of them, destroyed). k >= 64 and even; Code::usage otherwise.
void compress(std::span<Block> head, std::span<Block> tail, Pool& pool);
void compress(std::span<Block> head_a, std::span<Block> head_c, std::span<Pair> tail, Pool& pool);
// The same code over single bits, 64 to a word: (k + 63) / 64 words each, the tails zero.
void compress_bits(Words head, Words tail, std::size_t k, Pool& pool);

}  // namespace petcore::ot
