// What each operation asks of the offline phase, block by block. The operation takes exactly these
// correlations and its declared cost counts exactly these.
#pragma once

#include <vector>

#include "protocol/semi2k/slices.h"

namespace petcore::protocol::semi2k {

using Plan = std::vector<correlation::Request>;

// width: the bits that are left to look at.
Plan msb_plan(std::size_t n, unsigned width);
Plan equal_zero_plan(std::size_t n, unsigned width);
Plan bits_plan(std::size_t n, unsigned width);
Plan truncate_exact_plan(std::size_t n, unsigned f);

// for_each_block calls run(begin, size) for every block of n elements.
template <class F>
void for_each_block(std::size_t n, F&& run) {
  for (std::size_t begin = 0; begin < n; begin += kBlock) run(begin, std::min(kBlock, n - begin));
}

// opened_words is what opening n elements mod 2^width sends: whole bytes of each element.
std::size_t opened_words(std::size_t n, unsigned width);

// open_against_bits opens x + r mod 2^width, where x is first shifted right by range.drop and the
// width is what is left, and hands the slices of each chunk's public sum and of r to `use`.
void open_against_bits(Env& env, ConstWords x, BitRange range,
                       const std::function<void(std::size_t chunk, Words c, Words r)>& use);

// multiply_bits is mul_bit for a plan that is already announced.
void multiply_bits(Env& env, Words out, ConstWords bit, ConstWords x);
// convert_bits is b2a for a plan that is already announced.
void convert_bits(Env& env, Words out, ConstWords bit);

}  // namespace petcore::protocol::semi2k
