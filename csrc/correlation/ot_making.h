// Making: one chunk of any kind of correlation from what each party alone knows, by products of
// private numbers (ot/products.h). Masks stay this party's own words; products are what remains of
// the relation (correlation/products.h) once the terms that one party knows are added locally.
//
// Where bits of a word are wanted, a shared word's bits would cost a circuit. There the parties
// begin with the bits, each with words of its own as exclusive-or shares, and the arithmetic shares
// of the word follow: r = b0 + b1 - 2 (b0 & b1).
#pragma once

#include <array>

#include "base/pool.h"
#include "correlation/request.h"
#include "net/channel.h"
#include "ot/products.h"
#include "prg/prg.h"

namespace petcore::correlation {

struct Making {
  ot::Products& ot;
  const net::Step& step;
  int party;
  const prg::Seed& seed;  // of this party's masks, for a matrix masked by an earlier request
  Pool& pool;
};

struct Chunk {
  std::array<Buffer<std::uint64_t>, 3> masks, products;
};

// remakes_masks says whether make_chunk replaces the masks: the caller makes such a chunk before it
// hands out its masks.
bool remakes_masks(const Request& request);
// make_chunk fills the products of `units` units, all buffers sized by their layout. Both parties
// call it for the same request.
void make_chunk(Making& making, const Request& request, std::uint64_t units, Chunk& chunk);

}  // namespace petcore::correlation
