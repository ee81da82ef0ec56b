// Introduction: what a party tells the dealer before it asks for anything, at the beginning and
// whenever it comes again: whose session it means, its seed, and the mark that both parties share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/channel.h"
#include "net/handshake.h"
#include "prg/prg.h"

namespace petcore::session {

struct Introduction {
  net::Terms terms;
  prg::Seed seed, mark;
  ~Introduction() { wipe(seed.data(), seed.size()); }
};

// introduce returns once the dealer has met the other party of the session too.
void introduce(net::Channel& dealer, const Introduction& introduction, bool again);

// Visitor: one party as it introduced itself to the dealer.
struct Visitor {
  std::shared_ptr<net::Channel> channel;
  std::size_t offer = 0;  // index of the terms that it accepted
  std::size_t party = 0;  // index among the names of those terms
  net::Terms terms;
  prg::Seed seed{}, mark{};
  bool again = false;
  ~Visitor() { wipe(seed.data(), seed.size()); }
};

// Offer: one pair that the dealer serves. Terms without "session" accept any session name.
struct Offer {
  std::vector<std::string> names;
  net::Terms terms;
};
// meet hears who has come. It raises Code::handshake, at both ends, if no offer is for this peer
// and its terms; what the visitor is told names no pair that it is not of.
std::unique_ptr<Visitor> meet(std::shared_ptr<net::Channel> channel,
                              const std::vector<Offer>& offers);
// welcome tells a visitor that the session begins.
void welcome(const Visitor& visitor);

}  // namespace petcore::session
