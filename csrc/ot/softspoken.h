// SoftSpokenOT (Roy, CRYPTO 2022, ePrint 2022/192): correlated OT in which k bits of delta share a
// GGM tree, so that 128 / k bits travel for each transfer instead of 128.
//
// For each tree the receiver sums its 2^k streams r_x: u = sum r_x and v_j = sum over the x with
// bit j of r_x. The sender, who lacks the stream of number d (k bits of delta), gets w_j = v_j ^
// d_j u from the others. The receiver sends u ^ c for its choices c (section 5.1 with the
// repetition code): then q_j = w_j ^ d_j (u ^ c) = v_j ^ d_j c. The 128 rows v and q, turned into
// columns, are t and q of cot.h.
//
// A receiver that used different c in different trees could learn delta from what the sender does
// with q. So both hash their rows by a random linear map, the polynomial hash over GF(2^128), and
// the receiver sends the hash of c and a digest of the hashes of v, which must agree with the
// sender's rows (section 5.2). 128 random choices more hide the hash of c. The challenge is SHA-256
// of the trees' message and of all corrections so far (Fiat-Shamir), so that no flight is added and
// no tree can be searched for that fits a challenge: a receiver that tries Q challenges passes with
// inconsistent choices with a chance of about Q blocks / 2^128, but for guessing the bits of delta
// that would show it, each wrong with chance 1/2.
//
// Functionality: correlated OT with chosen choices and a random delta. Assumption: AES-128 is a
// PRG; SHA-256 is a random oracle (check only); what base_ot.h needs. Adversary: malicious receiver
// where checked, semi-honest otherwise; malicious sender. Flights and when they travel: cot.h.
// Bytes: (trees / 8) for each transfer, in blocks of at most 2^14 transfers, each rounded up to
// 128; where checked, 48 and 128 more transfers for each block. Leaks: to a receiver that survives
// a wrong guess of bits of delta, those bits.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/pool.h"
#include "net/channel.h"
#include "ot/cot.h"
#include "ot/extension.h"
#include "ot/softspoken_trees.h"
#include "prg/bundle.h"

namespace petcore::ot {

// kSoftSpokenBlock transfers are checked together; a call of extend for more takes several. With
// the 128 that hide the hash of the choices they fill rows of 2^14 bits.
constexpr std::size_t kSoftSpokenBlock = (std::size_t{1} << 14) - 128;
// softspoken_bytes is what the receiver sends for n transfers after the base OTs.
std::uint64_t softspoken_bytes(std::size_t n, const Options& options);

// Transcript is what has been sent, as a challenge for the check. A message counts as the digests
// of its halves, which are made side by side.
class Transcript {
 public:
  Transcript() = default;
  void add(ConstBytes sent);
  Block challenge(ConstBytes sent);

 private:
  std::array<std::byte, 32> digest_{};
};

// Workspace is memory that blocks share.
struct Workspace {
  Buffer<Block> rows, choices;
  Buffer<std::byte> message;
};

class SoftSpokenReceiver : public CotReceiver {
 public:
  SoftSpokenReceiver(std::shared_ptr<net::Channel> channel, Pool& pool, const Options& options);
  void extend(const net::Step& step, ConstWords choices, std::span<Block> t) override;

 protected:
  // correct writes u ^ c for every tree, from the rows u. A test overrides it to cheat.
  virtual void correct(std::span<Block> rows, std::span<const Block> choices) const;

 private:
  void prepare(const net::Step& step);
  void extend_block(const net::Step& step, ConstWords choices, std::span<Block> t);

  std::shared_ptr<net::Channel> channel_;
  Pool& pool_;
  Options options_;
  std::vector<prg::Bundle> trees_;  // none before the base OTs
  std::uint64_t next_block_ = 0;    // of the streams; never again the same
  Transcript transcript_;
  Workspace work_;
};

class SoftSpokenSender : public CotSender {
 public:
  SoftSpokenSender(std::shared_ptr<net::Channel> channel, Pool& pool, const Options& options);
  ~SoftSpokenSender() override;
  Block delta() const override { return delta_; }
  void prepare(const net::Step& step) override;
  void extend(const net::Step& step, std::span<Block> q) override;

 private:
  void open(const net::Step& step);
  void extend_block(const net::Step& step, std::span<Block> q);

  std::shared_ptr<net::Channel> channel_;
  Pool& pool_;
  Options options_;
  Block delta_;
  std::unique_ptr<BaseReceiver> base_;  // between prepare and the first extend
  std::vector<prg::Bundle> trees_;
  std::uint64_t next_block_ = 0;
  Transcript transcript_;
  Workspace work_;
};

}  // namespace petcore::ot
