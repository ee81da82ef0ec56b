// Which extension of oblivious transfer runs: a few public-key operations once, then as many
// correlated OTs as are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/pool.h"
#include "net/channel.h"
#include "ot/cot.h"

namespace petcore::ot {

struct Options {
  enum class Kind : std::uint8_t { softspoken, silent };
  Kind kind = Kind::softspoken;
  unsigned k = 4;  // softspoken: 2 to 8; 128 / k bits travel for each OT
  // Catch a receiver that cheats. Of a silent extension: in its base transfers, whose sender can
  // still cheat (silent.h).
  bool checked = true;
  bool operator==(const Options&) const = default;
};

// Wish: what a party's configuration says of its extension.
struct Wish {
  std::string method = "auto";  // or "softspoken", "silent"
  double link_mbit = 1000;      // what the link between the parties carries, in Mbit/s
  bool checked = true;
};

// Below this many Mbit/s what travels is waited for, above it what is computed.
constexpr double kSilentBelowMbit = 300;

// options_for is the rule: k is that with which a transfer takes the least time, its bytes on the
// line and through TLS and its 2^k / k streams together: 4 from 3.7 Gbit/s on, 5 from 0.9, 6 from
// 0.35, 7 from 0.2, 8 below. "auto" is silent below 300 Mbit/s where no check is asked for: no
// speed gives up the check. Raises Code::usage for another name, a speed that is none, or "silent"
// with a check.
Options options_for(const Wish& wish);
// text_of is how the parties compare them.
std::string text_of(const Options& options);
// block_bytes_of is what travels for 128 transfers of many, to the nearest even number of bytes:
// with their share of the checks or of the largest refill, without base OTs and the strings
// transferred.
std::uint64_t block_bytes_of(const Options& options);

// The base OTs run in prepare and in the first extend (cot.h). Parties that differ in options fail
// with Code::handshake there. Raises Code::usage for a k out of bounds.
std::unique_ptr<CotSender> make_sender(std::shared_ptr<net::Channel> channel, Pool& pool,
                                       const Options& options = {});
std::unique_ptr<CotReceiver> make_receiver(std::shared_ptr<net::Channel> channel, Pool& pool,
                                           const Options& options = {});

}  // namespace petcore::ot
