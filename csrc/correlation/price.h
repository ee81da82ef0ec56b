// Price: what it takes offline to make correlations, in either of two ways.
#pragma once

#include <cstdint>

#include "correlation/request.h"

namespace petcore::correlation {

struct Price {
  std::uint64_t dealt_bytes = 0;  // from a dealer to both parties together
  // By oblivious transfer, both directions together: transfers, and the bits of their strings.
  std::uint64_t transfers = 0, string_bits = 0;

  Price& operator+=(const Price& other) {
    dealt_bytes += other.dealt_bytes;
    transfers += other.transfers;
    string_bits += other.string_bits;
    return *this;
  }
  bool operator==(const Price&) const = default;
  // made_bytes is what both parties together receive where 128 transfers take so many bytes
  // (ot/extension.h); base transfers and what is made ahead come on top.
  std::uint64_t made_bytes(std::uint64_t block_bytes) const {
    return (transfers + 127) / 128 * block_bytes + (string_bits + 7) / 8;
  }
};

Price price_of(const Request& request);

}  // namespace petcore::correlation
