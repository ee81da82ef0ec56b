#include "protocol/cost.h"

namespace petcore::protocol {

Cost& Cost::operator+=(const Cost& other) {
  rounds += other.rounds;
  bytes += other.bytes;
  offline_bytes += other.offline_bytes;
  price += other.price;
  for (const auto& [kind, units] : other.correlations) correlations[kind] += units;
  return *this;
}

Cost& with_correlation(Cost& cost, const correlation::Request& request) {
  cost.correlations[request.kind] += request.units;
  cost.price += correlation::price_of(request);
  return cost;
}

}  // namespace petcore::protocol
