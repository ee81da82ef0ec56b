// The relation behind each kind of correlation, in clear: only a dealer calls this.
#pragma once

#include <array>

#include "correlation/request.h"
#include "prg/prg.h"

namespace petcore::correlation {

bool mask_is_boolean(const Request& request, std::size_t index);
bool product_is_boolean(const Request& request, std::size_t index);

// combine: x = x + y, or x ^ y; subtract: x = x - y, or x ^ y.
void combine(Words x, ConstWords y, bool boolean);
void subtract(Words x, ConstWords y, bool boolean);

// make_products computes the products of one chunk from the sums of both parties' masks. The seeds
// are needed for a masked matrix, whose first factor was masked by an earlier request.
void make_products(const Request& request, std::uint64_t units, const prg::Seed (&seeds)[2],
                   const std::array<Buffer<std::uint64_t>, 3>& masks,
                   std::array<Buffer<std::uint64_t>, 3>& products);

}  // namespace petcore::correlation
