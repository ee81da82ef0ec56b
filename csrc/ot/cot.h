// Correlated oblivious transfer of 128-bit blocks in one direction. The sender holds delta and gets
// q; the receiver holds choice bits c and gets t = q ^ c delta. Whoever hashes t and q with a
// correlation-robust hash (hash/crh.h, a tweak never used twice under one delta) has oblivious
// transfer of strings.
//
// Both parties call extend for the same n. It is one flight from receiver to sender: the
// receiver's call only sends, the sender's only receives. Before the first there is one flight
// from sender to receiver: prepare sends it, the receiver's first extend takes it. Where both
// directions run, each party therefore prepares as sender, extends as receiver, then as sender.
//
// A silent extension makes its transfers ahead, many at a time, with flights both ways. Both
// parties call reserve for the same n to have it done for the next n transfers. An extend that
// finds too few does it itself, which is for one direction alone: two directions would wait for
// each other. So whoever runs both calls reserve_both first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/block.h"
#include "base/buffer.h"
#include "net/channel.h"

namespace petcore::ot {

using petcore::Block;

class CotSender {
 public:
  virtual ~CotSender() = default;
  virtual Block delta() const = 0;
  // prepare sends what the receiver's first extend waits for; later calls do nothing. A sender
  // that was not prepared does it in its first extend.
  virtual void prepare(const net::Step&) {}
  // reserve makes the next n transfers quick to take out; the receiver calls it too.
  virtual void reserve(const net::Step&, std::size_t /*n*/) {}
  // extend fills q. A receiver that is caught cheating raises Code::correlation.
  virtual void extend(const net::Step& step, std::span<Block> q) = 0;
};

class CotReceiver {
 public:
  virtual ~CotReceiver() = default;
  virtual void reserve(const net::Step&, std::size_t /*n*/) {}
  // extend fills t for the packed choices, num_words(t.size()) words of them (bits/bits.h).
  virtual void extend(const net::Step& step, ConstWords choices, std::span<Block> t) = 0;
};

// reserve_both reserves n transfers each way: one direction after the other, the one in which party
// 0 is the receiver first.
inline void reserve_both(const net::Step& step, unsigned party, CotSender& sender,
                         CotReceiver& receiver, std::size_t n) {
  if (party == 0) receiver.reserve(step, n);
  sender.reserve(step, n);
  if (party != 0) receiver.reserve(step, n);
}

}  // namespace petcore::ot
