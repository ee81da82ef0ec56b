// Comparisons in one round, with keys of function secret sharing: z = x + r is opened, and what a
// key says about z is computed without the other party.
//   Papers: Boyle, Gilboa, Ishai, "Secure computation with preprocessing via function secret
//           sharing" (TCC 2019); Boyle et al. (EUROCRYPT 2021) for intervals; Gupta et al., "SIGMA"
//           (PETS 2024), for the sign from one key. The keys: fss/tree.h, correlation/keys.h.
//   Functionality: shares of the sign, of "is zero", of low <= x < high, or of the sign times y.
//   Assumption: the hash of hash/crh.h is tweakable circular correlation robust.
//   Rounds: 1; the sign times y 2.
//   Bytes:  per element and party ceil(width / 8); the sign times y 8 more and a bit. A key is 8 +
//           16 max(1, width - 6 [a sign: 7]) bytes from the dealer to each party.
//   Adversary: semi-honest, one of the two parties; the dealer colludes with nobody.
//   Leaks:  nothing.
#pragma once

#include "correlation/keys.h"
#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {

// The operation's block of n elements; width: the bits that are left to look at.
Plan keyed_plan(std::size_t n, unsigned width, correlation::KeyForm form);
Plan keyed_select_plan(std::size_t n, unsigned width);

Cost keyed_cost(std::size_t n, unsigned width, correlation::KeyForm form);
Cost keyed_select_cost(std::size_t n, unsigned width);

}  // namespace petcore::protocol::semi2k
