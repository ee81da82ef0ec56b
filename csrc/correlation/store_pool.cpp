#include "correlation/store_pool.h"

#include <algorithm>
#include <numeric>

namespace petcore::correlation {
namespace {

// A segment is read, opened and kept in memory at once: so much of it is enough to be quick.
constexpr std::uint64_t kSegmentBits = std::uint64_t{4} << 20;
constexpr std::uint64_t kWordBits = 64;

template <class F>
void for_each_stream(const Shape& rows, F&& visit) {
  for (std::size_t i = 0; i < rows.num_masks; ++i) visit(rows.masks[i]);
  for (std::size_t i = 0; i < rows.num_products; ++i) visit(rows.products[i]);
}

}  // namespace

PoolKey pool_of(const Request& request) { return {request.kind, request.dims}; }

std::string pool_text(const PoolKey& pool) {
  std::string text = kind_name(pool.kind);
  const auto last =
      std::find_if(pool.dims.rbegin(), pool.dims.rend(), [](std::uint64_t d) { return d != 0; });
  for (auto d = pool.dims.begin(); d != last.base(); ++d)
    text += (d == pool.dims.begin() ? " " : " x ") + std::to_string(*d);
  return text;
}

bool can_pool(Kind kind) { return kind != Kind::mask && kind != Kind::masked_matrix; }

std::uint64_t cell_units(const PoolKey& pool) {
  std::uint64_t cell = 1;
  for_each_stream(shape(segment_request(pool, 1)), [&](const Rows& row) {
    if (row.bits > 0) cell = std::lcm(cell, kWordBits / std::gcd(kWordBits, row.bits));
  });
  return pool.kind == Kind::matrix ? 1 : cell;
}

std::uint64_t segment_units(const Request& request) {
  if (request.kind == Kind::matrix) return 1;
  std::uint64_t unit_bits = 0;
  for_each_stream(shape(request), [&](const Rows& row) { unit_bits += row.count * row.bits; });
  const std::uint64_t cell = cell_units(pool_of(request));
  const std::uint64_t cells = kSegmentBits / (cell * std::max<std::uint64_t>(1, unit_bits));
  return cell *
         std::clamp<std::uint64_t>(cells, 1, std::max<std::uint64_t>(1, request.chunk / cell));
}

Request segment_request(const PoolKey& pool, std::uint64_t units) {
  return {.kind = pool.kind, .units = units, .chunk = units, .dims = pool.dims};
}

}  // namespace petcore::correlation
