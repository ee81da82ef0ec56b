// The relation behind each kind of correlation, in clear: only a dealer calls this.
#pragma once

#include <array>

#include "base/pool.h"
#include "correlation/request.h"
#include "prg/prg.h"

namespace petcore::correlation {

// Group: what the two shares of a stream of words are added in.
enum class Group : std::uint8_t {
  words,
  bits,
  halves,    // Z_2^32, two to a word
  bytes,     // Z_2^8, eight to a word
  residues,  // modulo 2^64 - 1
  wide,      // residues modulo 2^128 - 1, two words each
};
Group mask_group(const Request& request, std::size_t index);
Group product_group(const Request& request, std::size_t index);

// A crossed request multiplies what each party alone knows: its masks are not shares of one number.
// It has one mask stream; make_products takes party 0's as the first and party 1's as the second.
bool is_crossed(const Request& request);

// What is dealt to both has no shares: each party asks the dealer for it, and gets the same words.
bool dealt_to_both(const Request& request);

// combine: x = x + y, subtract: x = x - y.
void combine(Words x, ConstWords y, Group group);
void subtract(Words x, ConstWords y, Group group);

// make_products computes the products of one chunk from the sums of both parties' masks. The seeds
// are needed for a masked matrix, whose first factor was masked by an earlier request. What is
// dealt to both is made elsewhere (keys.h).
void make_products(const Request& request, std::uint64_t units, const prg::Seed (&seeds)[2],
                   const std::array<Buffer<std::uint64_t>, 3>& masks,
                   std::array<Buffer<std::uint64_t>, 3>& products, Pool& pool);

}  // namespace petcore::correlation
