// Pools: what a store holds of one kind and size of correlation, and how it is cut.
//
// The smallest piece is a *cell*: so many units that every row of every stream of the cell fills
// whole words. A request takes whole cells. Cells lie in *segments*, each sealed on its own, and
// segments in *lots*, the files that are made, and in the end erased, whole.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "correlation/request.h"

namespace petcore::correlation {

struct PoolKey {
  Kind kind;
  std::array<std::uint64_t, 7> dims{};
  auto operator<=>(const PoolKey&) const = default;
};
PoolKey pool_of(const Request& request);
// pool_text is what people call a pool: "multiplication", "matrix 4 x 3 x 1", "edabit 40/2/1".
std::string pool_text(const PoolKey& pool);

// can_pool: a mask is of use to one matrix of one session, so that it cannot wait in a pool, nor
// can a product with it.
bool can_pool(Kind kind);

// cell_units is how many units a cell has: one where every stream has whole words per unit.
std::uint64_t cell_units(const PoolKey& pool);
// segment_units is a multiple of it, or less: a segment is no longer than a chunk of the request.
std::uint64_t segment_units(const Request& request);
inline std::uint64_t cells_for(std::uint64_t units, std::uint64_t per_cell) {
  return (units + per_cell - 1) / per_cell;
}

// segment_request asks a source for one segment of a pool.
Request segment_request(const PoolKey& pool, std::uint64_t units);

}  // namespace petcore::correlation
