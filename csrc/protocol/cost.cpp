#include "protocol/cost.h"

namespace petcore::protocol {

Cost& Cost::operator+=(const Cost& other) {
  rounds += other.rounds;
  bytes += other.bytes;
  dealer_bytes += other.dealer_bytes;
  for (const auto& [kind, units] : other.correlations) correlations[kind] += units;
  return *this;
}

Cost& with_correlation(Cost& cost, const correlation::Request& request) {
  cost.correlations[request.kind] += request.units;
  cost.dealer_bytes += correlation::product_words(request) * sizeof(std::uint64_t);
  return cost;
}

}  // namespace petcore::protocol
