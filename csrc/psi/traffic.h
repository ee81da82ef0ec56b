// What an intersection costs on the link, before it runs: rounds, and payload bytes each way.
#pragma once

#include <cstdint>

#include "ot/extension.h"

namespace petcore::psi {

struct Traffic {
  std::uint64_t rounds = 0, sent = 0, received = 0;

  Traffic turned() const { return {rounds, received, sent}; }
};

// rr22_traffic is the receiver's. `first` says whether the base OTs of this direction run as well.
Traffic rr22_traffic(std::size_t num_receiver, std::size_t num_sender, std::size_t runs,
                     bool answer, bool first, const ot::Options& options);

// circuit_traffic is the receiver's, of psi/circuit.h.
Traffic circuit_traffic(std::size_t num_receiver, std::size_t num_sender, std::size_t num_columns,
                        bool first, const ot::Options& options);

// ecdh_traffic is that of a party with num_own ids.
Traffic ecdh_traffic(std::size_t num_own, std::size_t num_theirs, bool mine, bool theirs);

}  // namespace petcore::psi
