// Vector oblivious linear evaluation (VOLE) over GF(2^128), in one direction.
//
//   sender    delta  ->  b
//   receiver         ->  a, c      b = c ^ a delta, a uniformly random, products in GF(2^128)
//
// The field is that of ring/gf128.h. delta is the one of the correlated oblivious transfers that a
// VOLE is made of; whoever needs another delta makes another CotSender.
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
