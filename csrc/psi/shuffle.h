// Random orders, so that a place in a message says nothing about a place in a table.
#pragma once

#include <cstdint>

#include "base/buffer.h"

namespace petcore::psi {

using Order = Buffer<std::uint32_t>;

// random_order is a permutation of 0 .. n - 1, uniform up to the PRG; n < 2^32 (Code::usage).
Order random_order(std::size_t n);

}  // namespace petcore::psi
