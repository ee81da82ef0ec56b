#include "correlation/burden.h"

#include <algorithm>

namespace petcore::correlation {

Burden burden(const Request& request) {
  const std::uint64_t units = std::min(request.units, request.chunk);
  const Layout chunk = layout(request, units);
  std::uint64_t masks = 0, products = 0;
  for (std::size_t i = 0; i < chunk.num_masks; ++i) masks += chunk.masks[i];
  for (std::size_t i = 0; i < chunk.num_products; ++i) products += chunk.products[i];
  // Each stream is expanded for both parties and combined once.
  const std::uint64_t words = 2 * (masks + products);
  Burden out{words * request.num_chunks(), words * sizeof(std::uint64_t)};
  if (request.kind == Kind::matrix || request.kind == Kind::masked_matrix) {
    const auto [m, k, n] = matrix_shape(request);
    out.work += m * k * n;
    if (request.kind == Kind::masked_matrix) {
      out.work += 2 * m * k;
      out.memory += 2 * m * k * sizeof(std::uint64_t);
    }
  }
  return out;
}

}  // namespace petcore::correlation
