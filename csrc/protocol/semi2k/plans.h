// What each operation asks of the offline phase, block by block. The operation takes exactly these
// correlations and its declared cost counts exactly these.
#pragma once

#include <vector>

#include "protocol/semi2k/tree.h"

namespace petcore::protocol::semi2k {

using Plan = std::vector<correlation::Request>;

// width: the bits that are left to look at.
Plan msb_plan(const Setting& setting, std::size_t n, unsigned width);
Plan equal_zero_plan(const Setting& setting, std::size_t n, unsigned width);
Plan bits_plan(const Setting& setting, std::size_t n, unsigned width);
Plan truncate_exact_plan(const Setting& setting, std::size_t n, unsigned f);

// for_each_block calls run(begin, size) for every block of n elements.
template <class F>
void for_each_block(std::size_t n, F&& run, std::size_t block = kBlock) {
  for (std::size_t begin = 0; begin < n; begin += block) run(begin, std::min(block, n - begin));
}
// block_of is how many elements run through the rounds of a comparison at once.
constexpr std::size_t block_of(const Setting& setting) {
  return setting.dealt ? kBlock : kBlock / 4;  // tables take more memory than dealt bits
}

// planned_msb is msb, of one block, for a plan that is already announced: msb_plan with the bits
// left of the range.
void planned_msb(Env& env, const Setting& setting, Words out, ConstWords x, BitRange range);

// multiply_bits is mul_bit for a plan that is already announced.
void multiply_bits(Env& env, Words out, ConstWords bit, ConstWords x);
// multiply_opened is its second half, for a bit product whose masks are taken: flip is that of the
// bits; out holds x less its mask, opened, and takes the products.
void multiply_opened(Env& env, Words out, ConstWords bit, ConstWords flip, ConstWords x);
// convert_bits is b2a for a plan that is already announced.
void convert_bits(Env& env, Words out, ConstWords bit);

}  // namespace petcore::protocol::semi2k
