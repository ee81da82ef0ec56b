// Verification: cut-and-choose against a dealer that deals wrongly.
//
// Whether what was dealt for one plan (all requests of an operation) is checked is told by a coin
// that both parties know and the dealer does not, a PRF of their common seed at the plan's counter.
// All of the dealer's words are taken in first. What is checked is opened between the parties and
// thrown away, and the plan is asked for anew with new counters, until the coin says use.
//   Functionality: with `share` p, a dealer that falsifies words of one operation is caught at it
//          with probability p, one that falsifies t operations with 1 - (1 - p)^t, whatever the
//          kind and however few the bits; an operation checks 1 / (1 - p) - 1 plans on average.
//   Opened: the seeds of the checked request's streams, each derived from its counter alone
//          (correlation/streams.h); all other requests stay as they are. A masked matrix keeps its
//          mask: only B is opened, and party 0 sends a hash of C0 - A0 B, which party 1 knows
//          unless the dealer cheated, as A1 B - C1.
//   Assumption: PRF (AES-128) and SHA-256; the dealer does not read the link between the parties.
//          Of what is dealt to both, party 1 compares its own words and a hash of the other's.
//   Rounds: 1 between the parties and 1 of the dealer's for each plan checked. Bytes: to the dealer
//          and from it those of the plan; between the parties 1 per chunk, 16 per stream, 48
//          per masked matrix, 32 per request dealt to both.
//   Adversary: the dealer alone, malicious; the parties semi-honest. Not covered: a dealer that
//          colludes with a party, or one that refuses to answer (an error, not a wrong result).
//   Leaks: nothing of what is used.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/pool.h"
#include "correlation/request.h"
#include "net/channel.h"
#include "prg/prg.h"

namespace petcore::correlation {

class Verification {
 public:
  // share: the probability that a plan is checked, 0 < share < 1. `peer` is the link to the other
  // party, `own` the seed that this party shares with the dealer.
  Verification(double share, std::shared_ptr<net::Channel> peer, const prg::Seed& common_seed,
               const prg::Seed& own, bool adjusted, Pool& pool);
  ~Verification();

  bool chosen(std::uint64_t counter) const;

  // take gives the next words that the dealer dealt to this party.
  using TakeWords = std::function<void(Words)>;
  // check opens these requests with the other party. Party 1 raises Code::cheated, naming the
  // dealer, if a word of them is wrong; the other then hears of it.
  void check(const net::Step& step, std::span<const Request> requests, const TakeWords& take,
             const net::Peer& dealer);

 private:
  struct Opening;
  bool takes(const Request& request) const;
  void take_in(const net::Step& step, const TakeWords& take, std::vector<Opening>& openings);
  void answer(const net::Step& step, std::vector<Opening>& openings);
  void compare(const net::Step& step, std::vector<Opening>& openings, const net::Peer& dealer);

  std::uint64_t threshold_;
  std::shared_ptr<net::Channel> peer_;
  prg::Seed coin_, own_;
  bool adjusted_;
  Pool& pool_;
};

}  // namespace petcore::correlation
