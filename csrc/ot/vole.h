// Vector oblivious linear evaluation (VOLE) over GF(2^128), in one direction.
//
//   sender    delta  ->  b
//   receiver         ->  a, c      b = c ^ a delta, a uniformly random, products in GF(2^128)
//
// The field is that of ring/gf128.h. delta is the one of the correlated oblivious transfers that a
// VOLE is made of; whoever needs another delta makes another CotSender, and makes one VOLE of each.
//
// Up to 256 elements are made straight from transfers (field_products.h). More are made silently:
// trees that differ in one place each (half_tree.h, the pseudorandom kind) by a random value times
// delta, compressed by a binary code (expand_convolute.h) to outputs that look random (Boyle,
// Couteau, Gilboa, Ishai, "Compressing Vector OLE", CCS 2018, section 4; the protocol for the trees
// is that of Guo et al., EUROCRYPT 2023, section 5.2). The values are the only products that take
// transfers one by one.
//
// Functionality: random VOLE. Assumption: dual LPN over GF(2^128) with regular noise and a binary
// code (noise.h has parameters and attacks), the hash of half_tree.h also where its outputs hide
// delta times known elements (ideal permutation), the transfers'.
// Flights of an extend: the transfers' from the receiver, the trees from the sender. With t trees
// of depth d (noise.h): t (128 + d) transfers and 16 t (d + 2) + 40 bytes; for n = 1.3 10^6 it is
// 44,838 transfers (179 kB over SoftSpokenOT, k = 4) and 76 kB. Adversary: semi-honest (silent.h
// says what a malicious sender could try). Leaks: nothing but n.
#pragma once

#include <span>

#include "base/pool.h"
#include "net/channel.h"
#include "ot/cot.h"

namespace petcore::ot {

// Elements of one extend: 1 to kVoleMax, else Code::usage; both parties ask for the same number.
constexpr std::size_t kVoleMax = std::size_t{1} << 24;

class VoleSender {
 public:
  // Channel, transfers and pool belong to the caller and outlive the VOLE. Nothing else may use
  // the transfers' direction of the channel while an extend runs.
  VoleSender(net::Channel& channel, CotSender& cot, Pool& pool);
  Block delta() const { return cot_.delta(); }
  // extend fills b.
  void extend(const net::Step& step, std::span<Block> b);

 private:
  net::Channel& channel_;
  CotSender& cot_;
  Pool& pool_;
  std::uint64_t trees_made_ = 0;
};

class VoleReceiver {
 public:
  VoleReceiver(net::Channel& channel, CotReceiver& cot, Pool& pool);
  // extend fills a and c, of one size.
  void extend(const net::Step& step, std::span<Block> a, std::span<Block> c);

 private:
  net::Channel& channel_;
  CotReceiver& cot_;
  Pool& pool_;
  std::uint64_t trees_made_ = 0;
};

}  // namespace petcore::ot
