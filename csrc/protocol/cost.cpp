#include "protocol/cost.h"

#include <algorithm>

namespace petcore::protocol {

Cost& Cost::operator+=(const Cost& other) {
  rounds += other.rounds;
  bytes += other.bytes;
  offline_bytes += other.offline_bytes;
  price += other.price;
  for (const auto& [kind, units] : other.correlations) correlations[kind] += units;
  for (const auto& [pool, more] : other.stock) {
    Stocked& entry = stock[pool];
    entry.units += more.units;
    entry.chunk = std::max(entry.chunk, more.chunk);
  }
  return *this;
}

Cost& with_correlation(Cost& cost, const correlation::Request& request) {
  cost.correlations[request.kind] += request.units;
  cost.price += correlation::price_of(request);
  if (!correlation::can_pool(request.kind)) return cost;
  const correlation::PoolKey pool = correlation::pool_of(request);
  const std::uint64_t cell = correlation::cell_units(pool);
  Cost::Stocked& stocked = cost.stock[pool];
  stocked.units += correlation::cells_for(request.units, cell) * cell;
  stocked.chunk = std::max(stocked.chunk, request.chunk);
  return cost;
}

}  // namespace petcore::protocol
