// Words of 32 bits: numbers shared modulo 2^32 as long as they are small, and back to 2^64.
#pragma once

#include "protocol/semi2k/cross.h"

namespace petcore::protocol::semi2k {

// select_halves turns value into bit * value + other * limit, modulo 2^32; other may be empty. The
// bits are packed; what lies above 32 bits in a word of value means nothing. The request must be
// planned. Rounds: 1. Leaks: nothing.
void select_halves(Env& env, Words value, ConstWords bit, ConstWords other, std::uint64_t limit);
correlation::Request select_request(std::size_t n, bool has_other);
// select_words is what select_halves sends.
std::uint64_t select_words(std::size_t n, bool has_other);

// widen_halves gives value / 2^drop - minus in words, for -offset <= value < 2^31 - offset, where
// 2^drop divides the offset; rounded to one of its neighbours, right on average. value may be
// out. The request must be planned. Rounds: 1. Leaks: as truncate.
void widen_halves(Env& env, Words out, ConstWords value, unsigned drop, std::uint64_t offset,
                  std::uint64_t minus);
correlation::Request widen_request(std::size_t n, unsigned drop);

}  // namespace petcore::protocol::semi2k
