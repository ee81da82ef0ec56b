// Correlated oblivious transfer of 128-bit blocks in one direction. The sender holds delta and gets
// q; the receiver holds choice bits c and gets t = q ^ c delta. Whoever hashes t and q with a
// correlation-robust hash (hash/crh.h, a tweak never used twice under one delta) has oblivious
// transfer of strings.
//
// Both parties call extend for the same n. It is one flight from receiver to sender: the
// receiver's call only sends, the sender's only receives. Before the first there is one flight
// from sender to receiver: prepare sends it, the receiver's first extend takes it. Where both
// directions run, each party therefore prepares as sender, extends as receiver, then as sender.
#pragma once

#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "net/channel.h"

namespace petcore::ot {

// Block is an element of GF(2^128), its 16 bytes in memory order.
struct alignas(16) Block {
  std::uint64_t low = 0, high = 0;
  friend Block operator^(Block x, Block y) { return {x.low ^ y.low, x.high ^ y.high}; }
  bool operator==(const Block&) const = default;
};

class CotSender {
 public:
  virtual ~CotSender() = default;
  virtual Block delta() const = 0;
  // prepare sends what the receiver's first extend waits for; later calls do nothing. A sender
  // that was not prepared does it in its first extend.
  virtual void prepare(const net::Step&) {}
  // extend fills q. A receiver that is caught cheating raises Code::correlation.
  virtual void extend(const net::Step& step, std::span<Block> q) = 0;
};

class CotReceiver {
 public:
  virtual ~CotReceiver() = default;
  // extend fills t for the packed choices, num_words(t.size()) words of them (bits/bits.h).
  virtual void extend(const net::Step& step, ConstWords choices, std::span<Block> t) = 0;
};

}  // namespace petcore::ot
