// The seeds behind SoftSpokenOT (Roy, CRYPTO 2022, ePrint 2022/192, section 6): for each few bits
// of delta a GGM tree whose leaves one party knows all and the other all but one, the one that
// these bits number. They come from 128 base OTs (Boyle et al., "Efficient Two-Round OT Extension
// and Silent Non-Interactive Secure Computation", CCS 2019, sections 4 and 6): for each level of a
// tree the sums of its left and of its right nodes are offered, and the one that does not hold the
// unknown node is chosen.
//
// So that a malicious maker of the trees cannot send sums that fit no tree, every leaf gives its
// seed and a check value; their sum lets the other party find the one it lacks, and a digest of
// all of them must agree (ibid., section 6: the check of the punctured PRF). What such a maker
// learns by surviving is a set that delta lies in, and it survives only if delta does.
//
// Assumption: AES-128 is a PRG, SHA-256 collision resistant.
// Bytes: 4096 for the sums, 32 for each tree, 32 for the digest, 33 for the base OTs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "base/pool.h"
#include "ot/base_ot.h"
#include "ot/cot.h"
#include "prg/bundle.h"

namespace petcore::ot {

constexpr std::size_t kDeltaBits = 128;

// tree_bits are the depths of the trees: as many of k as fit into 128 bits, then what is left.
std::vector<unsigned> tree_bits(unsigned k);

// make_trees makes the trees and the message that hands all but one leaf of each to the party
// that sent the offer.
struct Trees {
  std::vector<prg::Bundle> bundles;
  std::vector<std::byte> message;
};
Trees make_trees(unsigned k, ConstBytes offer, ConstBytes label, Pool& pool);

std::size_t tree_message_bytes(unsigned k);
// choose_offer is the base OTs' first message for a delta.
BaseReceiver choose_offer(Block delta, ConstBytes label, Pool& pool);
// open_trees reads the message. In every bundle the streams are renumbered: x becomes x ^ (the bits
// of delta), so that the first one is the unknown one. Raises Code::correlation for trees that are
// none.
std::vector<prg::Bundle> open_trees(unsigned k, Block delta, const BaseReceiver& base,
                                    ConstBytes message);

}  // namespace petcore::ot
