// Leaves: comparison of two numbers each of which one party knows, for want of a dealer's shared
// bits: so a shared number is compared by its two shares. In every digit of four bits one party
// looks up in the other's table whether the digits are equal, and which is greater; a tree of ANDs
// folds the digits. Paper: Rathee et al., "CrypTFlow2" (CCS 2020, section 3), and Huang et al.,
// "Cheetah" (USENIX Security 2022, section 4); with digits looked up in either direction, half
// each, and transfers made ahead (correlation/lookups.h).
//   Rounds: 2, and one for each layer of nodes of fan-in 4: 4 for 17 to 64 bits.
//   Bytes: 36 for 16 digits, and 4 1/8 for the nodes, each way.
//   Leaks: nothing.
#pragma once

#include "protocol/semi2k/plans.h"

namespace petcore::protocol::semi2k {

// compare_own gives shares of "party 0's number is greater than party 1's", or of their equality,
// by the lowest `width` bits of n numbers; parts is less or equal. The plan must be announced.
void compare_own(Env& env, Words out, ConstWords own, unsigned width, petcore::bits::Parts parts);
Plan compare_own_plan(std::size_t n, unsigned width, petcore::bits::Parts parts);
// lookup_cost is what the first request of the plan sends.
Cost lookup_cost(const correlation::Request& request);

}  // namespace petcore::protocol::semi2k
