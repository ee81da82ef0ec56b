#include "psi/traffic.h"

#include <algorithm>

#include "bits/bits.h"
#include "group/p256.h"
#include "ot/base_ot.h"
#include "ot/field_products.h"
#include "ot/half_tree.h"
#include "ot/noise.h"
#include "ot/softspoken.h"
#include "ot/softspoken_trees.h"
#include "ot/tree_message.h"
#include "ot/vole.h"
#include "psi/circuit.h"
#include "psi/cuckoo.h"
#include "psi/ecdh.h"
#include "psi/fingerprints.h"
#include "psi/okvs.h"

namespace petcore::psi {
namespace {

// What a party says of its options before the base OTs (ot/softspoken.cpp).
constexpr std::uint64_t kTermsBytes = 12;

// add_vole is one VOLE of n elements; the receiver's transfers, then the sender's trees.
void add_vole(Traffic& traffic, std::size_t n, const ot::Options& options) {
  if (n <= ot::kNoiseMin) {  // straight from transfers, in one flight with what follows
    traffic.sent += ot::softspoken_bytes(ot::kFieldBits * n, options);
    return;
  }
  const ot::NoiseShape shape = ot::noise_for(n);
  const ot::Forest forest{shape.trees, shape.depth, ot::TreeKind::pseudorandom, 0};
  traffic.rounds += 2;
  traffic.sent += ot::softspoken_bytes(ot::kFieldBits * shape.trees, options) +
                  ot::softspoken_bytes(forest.transfers(), options);
  traffic.received += ot::kTreeHeadBytes + sizeof(Block) * forest.message_blocks();
}

// add_oprf is the OPRF of so many of the receiver's keys, but the round of its table.
void add_oprf(Traffic& traffic, std::size_t num_keys, bool first, const ot::Options& options) {
  if (first) {
    traffic.rounds += 1;
    traffic.received += kTermsBytes + ot::BaseReceiver::offer_bytes(ot::kDeltaBits);
    traffic.sent += kTermsBytes + ot::tree_message_bytes(options.k);
  }
  const std::size_t table = okvs_shape(num_keys).size();
  for (std::size_t begin = 0; begin < table; begin += ot::kVoleMax)
    add_vole(traffic, std::min(ot::kVoleMax, table - begin), options);
  traffic.sent += 1 + sizeof(Block) * table;
}

}  // namespace

Traffic rr22_traffic(std::size_t num_receiver, std::size_t num_sender, std::size_t runs,
                     bool answer, bool first, const ot::Options& options) {
  Traffic traffic;
  add_oprf(traffic, num_receiver, first, options);
  traffic.rounds += 2;
  traffic.received += print_shape(num_sender, num_receiver, runs).wire_bytes(num_sender);
  if (answer) {
    traffic.rounds += 1;
    traffic.sent += sizeof(std::uint64_t) * bits::num_words(num_sender);
  }
  return traffic;
}

Traffic circuit_traffic(std::size_t num_receiver, std::size_t num_sender, std::size_t num_columns,
                        bool first, const ot::Options& options) {
  Traffic traffic;
  add_oprf(traffic, circuit_bins(num_receiver), first, options);
  traffic.rounds += 2;
  traffic.received +=
      1 + (1 + num_columns / 2) * sizeof(Block) * okvs_shape(kChoices * num_sender).size();
  return traffic;
}

Traffic ecdh_traffic(std::size_t num_own, std::size_t num_theirs, bool mine, bool theirs) {
  constexpr std::uint64_t kSizesBytes = sizeof(std::uint64_t) + 3;
  const std::uint64_t tag = tag_bytes(num_own, num_theirs);
  return {3, kSizesBytes + num_own * group::kPointBytes + (theirs ? num_theirs * tag : 0),
          kSizesBytes + num_theirs * group::kPointBytes + (mine ? num_own * tag : 0)};
}

}  // namespace petcore::psi
