// Oblivious transfer of strings, in one direction, made of correlated transfers (cot.h) by hashing:
//
//   random      the sender gets two random strings for each transfer, the receiver the one of its
//               choice
//   correlated  the sender gives differences d and gets random x; the receiver gets x + c d
//   chosen      the sender gives both strings; or sixteen of them, four choices a transfer
//
// Strings are the low `width` bits of a word each, 1 to 64; correlated ones add modulo 2^width. All
// functions are for n transfers; choices are packed, num_words(n) of them (of sixteen: 4 slices).
//
// Functionality: as named, with choices of the receiver's. Assumption: correlation-robust hash
// (hash/crh.h); of sixteen: for the sixteen multiples of delta (products_lookups.cpp says how).
// Flights: the extension, then (but for random) one back. Bytes back, rounded up to 64 transfers:
// width / 8 for each transfer if correlated, 2 width / 8 if chosen, 2 width if of sixteen.
// Adversary: as the extension's; a malicious sender may make the receiver's string depend on its
// choice, which nothing here reveals. Leaks: nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/buffer.h"
#include "net/channel.h"
#include "ot/cot.h"

namespace petcore::ot {

class TransferSender {
 public:
  // The extension is this object's from now on: no transfer of it is hashed twice.
  TransferSender(std::shared_ptr<net::Channel> channel, CotSender& cot)
      : channel_(std::move(channel)), cot_(cot) {}

  // Sizes that do not fit, and a width out of bounds, raise Code::usage.
  void random(const net::Step& step, Words x0, Words x1, unsigned width);
  void correlated(const net::Step& step, Words x, ConstWords differences, unsigned width);
  void chosen(const net::Step& step, ConstWords x0, ConstWords x1, unsigned width);
  // strings holds those of transfer i at 16 i.
  void chosen_of_16(const net::Step& step, ConstWords strings, unsigned width);

 private:
  std::shared_ptr<net::Channel> channel_;
  CotSender& cot_;
  std::uint64_t used_ = 0;
};

class TransferReceiver {
 public:
  TransferReceiver(std::shared_ptr<net::Channel> channel, CotReceiver& cot)
      : channel_(std::move(channel)), cot_(cot) {}

  void random(const net::Step& step, Words out, ConstWords choices, unsigned width);
  void correlated(const net::Step& step, Words out, ConstWords choices, unsigned width);
  void chosen(const net::Step& step, Words out, ConstWords choices, unsigned width);
  void chosen_of_16(const net::Step& step, Words out, ConstWords indices, unsigned width);

 private:
  std::shared_ptr<net::Channel> channel_;
  CotReceiver& cot_;
  std::uint64_t used_ = 0;
};

}  // namespace petcore::ot
