// Burden: what answering a request costs the dealer, known before it begins. A short message may
// ask for a lot.
#pragma once

#include <cstdint>

#include "correlation/request.h"

namespace petcore::correlation {

struct Burden {
  std::uint64_t work = 0;    // words expanded, combined or sent, and multiply-adds
  std::uint64_t memory = 0;  // bytes held at once
};
Burden burden(const Request& request);

}  // namespace petcore::correlation
