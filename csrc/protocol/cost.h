// Cost of an operation, declared before it runs and measured while it does.
#pragma once

#include <cstdint>
#include <map>

#include "correlation/price.h"
#include "correlation/store_pool.h"

namespace petcore::protocol {

struct Cost {
  std::uint64_t rounds = 0;  // messages that depend on an earlier message of the peer
  std::uint64_t bytes = 0;   // payload that one party sends to its peer
  // Payload of the offline phase: declared for both parties together, measured at one.
  std::uint64_t offline_bytes = 0;
  std::map<correlation::Kind, std::uint64_t> correlations;  // units, by kind
  correlation::Price price = {};  // of these, while a declared cost is added up
  // What a store would have to hold: units by pool, each request in whole cells; and the longest
  // chunk that one of them has.
  struct Stocked {
    std::uint64_t units = 0, chunk = 0;
    bool operator==(const Stocked&) const = default;
  };
  std::map<correlation::PoolKey, Stocked> stock;

  Cost& operator+=(const Cost& other);
  bool operator==(const Cost&) const = default;
};

// with_correlation is a cost that uses one request: its units and its price.
Cost& with_correlation(Cost& cost, const correlation::Request& request);

}  // namespace petcore::protocol
