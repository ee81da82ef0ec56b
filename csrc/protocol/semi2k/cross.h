// Products of numbers each of which one party alone knows: half the opening of a shared product.
// Every number is masked once; the dealer deals the product of the two masks.
#pragma once

#include <functional>

#include "protocol/semi2k/semi2k.h"

namespace petcore::protocol::semi2k {

// multiply_own_bits gives shares of the product of a bit of party 0 and a bit of party 1, for n
// elements: `own` sets this party's packed bits of a range (they are zero before), `use` gets the
// shares of the range in words; mod 2^width, the bits above mean nothing. width is 32 or 64.
// Rounds: 1. The request must be planned. Uses: a cross bit. Leaks: nothing.
void multiply_own_bits(Env& env, std::size_t n, unsigned width,
                       const std::function<void(Range, Words bits)>& own,
                       const std::function<void(Range, ConstWords products)>& use);
correlation::Request own_bits_request(std::size_t n, unsigned width);

// divide is truncate for a request that is planned already; out may be x.
void divide(Env& env, Words out, ConstWords x, unsigned f);

// quotient_width is the width that a wrap must be known in to divide by 2^f.
constexpr unsigned quotient_width(unsigned f) { return f <= 32 ? 32 : 64; }

}  // namespace petcore::protocol::semi2k
