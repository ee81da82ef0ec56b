// A few oblivious transfers of random keys by public-key operations: the endemic OT of Masny and
// Rindal (CCS 2019, ePrint 2019/706, section 4) from Diffie-Hellman key agreement on P-256.
//
//   receiver, choice c: a random scalar a, a random point r_{1-c}; r_c = a G - H_c(r_{1-c});
//                       sends r_0, r_1
//   sender:             a random scalar b; sends B = b G; key_j = K(b (r_j + H_j(r_{1-j})))
//   receiver:           key_c = K(a B)
//
// H_j hashes into the curve (RFC 9380), K is SHA-256; both take the number of the OT, the label of
// the connection and j. One B serves all OTs of a batch.
//
// Functionality: random OT in which a corrupted party may choose its own keys (endemic). Sender
// and receiver may speak at the same time. Bytes: 66 for each OT, 33 for the batch.
// Assumption: gap Diffie-Hellman on P-256 (plain CDH for one OT), H and K random oracles.
// Adversary: malicious, static. r_0 and r_1 are uniform whatever c is, so that the choices are
// hidden whatever the sender computes; a receiver that knew both keys would solve CDH for B and a
// point it cannot choose. Proven for one B per OT; that one B serves all is covered by the gap
// assumption, since each key's hash names its OT.
// Leaks: nothing. A point off the curve raises Code::frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/pool.h"
#include "group/p256.h"
#include "ot/cot.h"

namespace petcore::ot {

class BaseReceiver {
 public:
  // choices are n packed bits; label is public, the same at both ends, and unlike that of any
  // other batch under the same keys.
  BaseReceiver(ConstWords choices, std::size_t n, ConstBytes label, Pool& pool);
  ~BaseReceiver();

  static std::size_t offer_bytes(std::size_t n) { return 2 * n * group::kPointBytes; }
  ConstBytes offer() const { return offer_; }
  // keys takes the sender's answer, kPointBytes of it.
  Buffer<Block> keys(ConstBytes answer) const;

 private:
  std::vector<std::byte> label_;
  Buffer<std::uint64_t> choices_;
  std::vector<group::Scalar> scalars_;
  std::vector<std::byte> offer_;
  Pool& pool_;
};

class BaseSender {
 public:
  explicit BaseSender(Pool& pool) : scalar_(group::Scalar::random()), pool_(pool) {}

  static constexpr std::size_t kAnswerBytes = group::kPointBytes;
  void answer(Bytes out) const;
  // keys gives the keys of OT i at 2 i and 2 i + 1.
  Buffer<Block> keys(ConstBytes offer, ConstBytes label) const;

 private:
  group::Scalar scalar_;
  Pool& pool_;
};

}  // namespace petcore::ot
