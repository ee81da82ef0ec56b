// Which extension of oblivious transfer runs: a few public-key operations once, then as many
// correlated OTs as are asked for.
#pragma once

#include <cstdint>
#include <memory>

#include "base/pool.h"
#include "net/channel.h"
#include "ot/cot.h"

namespace petcore::ot {

struct Options {
  enum class Kind : std::uint8_t { softspoken, silent };
  Kind kind = Kind::softspoken;
  unsigned k = 4;       // softspoken: 2 to 8; 128 / k bits travel for each OT
  bool checked = true;  // softspoken: catch a receiver that cheats
};

// Below this many Mbit/s what travels is waited for, above it what is computed.
constexpr double kSilentBelowMbit = 300;

// options_for is the rule by which a link's speed decides: silent below 300 Mbit/s, else the k with
// which a transfer takes the least time, its bytes on the line and through TLS and its 2^k / k
// streams together: 4 from 4 Gbit/s on, 5 from 1, 6 from 0.4, 7 below.
Options options_for(double mbit_per_second);

// The base OTs run in prepare and in the first extend (cot.h). Parties that differ in options fail
// with Code::handshake there. Raises Code::usage for a k out of bounds.
std::unique_ptr<CotSender> make_sender(std::shared_ptr<net::Channel> channel, Pool& pool,
                                       const Options& options = {});
std::unique_ptr<CotReceiver> make_receiver(std::shared_ptr<net::Channel> channel, Pool& pool,
                                           const Options& options = {});

}  // namespace petcore::ot
