// Private set intersection of two parties by RR22.
//
//   receiver   ids X   -> which of X are in Y
//   sender     ids Y   -> nothing, or which of Y are in X
//
// The receiver learns F at X (psi/oprf.h), the sender sends the sorted fingerprints of F at Y
// (psi/fingerprints.h), the receiver compares, and where the sender is to know as well it answers
// one bit for each fingerprint. Raghuraman, Rindal, CCS 2022 (ePrint 2022/320), section 5.
// Assumptions, adversary: those of psi/oprf.h. False positives: 2^-40.
// Rounds: the VOLE's, then 2, or 3 with the answer (psi/traffic.h). Bytes: psi/oprf.h's; 8 per id
// of the sender and up to 1/8 besides; the answer 1/8 per id of the sender. Leaks: the sizes of
// both sets to both. To the receiver, where it answers, trust: it alone compares.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "psi/oprf.h"

namespace petcore::psi {

struct Sizes {
  std::size_t own, theirs;
  std::size_t runs = 1;  // intersections that share one chance of a false positive
};

// Both give indices into the party's own ids in an order common to both parties: by the value of
// the OPRF, so that it tells nothing of how either held its ids. Keys are the ids' digests, at
// least one at each party; rr22_send gives nothing without the answer.
Buffer<std::uint64_t> rr22_receive(const Link& link, ot::VoleReceiver& vole,
                                   std::span<const Block> keys, const Sizes& sizes, bool answer);
std::optional<Buffer<std::uint64_t>> rr22_send(const Link& link, ot::VoleSender& vole,
                                               std::span<const Block> keys, const Sizes& sizes,
                                               bool answer);

}  // namespace petcore::psi
