// RowHash: a linear hash of a row of bits into 128 bits, the polynomial with the row's blocks as
// coefficients at a random point of GF(2^128): sum of row_b x^(b+1) over all blocks but the last,
// which is added as it is, so that a random one hides the others. Two different rows agree at a
// random x with chance at most blocks / 2^128.
#pragma once

#include <cstddef>
#include <span>

#include "base/buffer.h"
#include "ot/cot.h"

namespace petcore::ot {

class RowHash {
 public:
  RowHash(Block x, std::size_t num_blocks);
  Block operator()(std::span<const Block> row) const;

 private:
  Buffer<Block> powers_;
};

}  // namespace petcore::ot
