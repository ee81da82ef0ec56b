// The dealer's end of one session.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/stop.h"
#include "correlation/dealer.h"
#include "session/account.h"
#include "session/introduction.h"

namespace petcore::session {

// make_offer is what the dealer agrees on with the parties of one pair; `more` may hold a session.
Offer make_offer(const std::string& protocol, const std::vector<std::string>& names,
                 const net::Terms& more);

struct Dealing {
  std::size_t threads = 1;
  std::uint64_t work_per_message = 0, memory = 0;       // correlation/burden.h; 0: no bound
  std::vector<std::shared_ptr<Account>> accounts = {};  // charged for what is sent
  std::function<void()> interrupted = {};               // called in every wait
  std::shared_ptr<Stop> stop = {};                      // ends the session for a while
};

// deal answers requests until both parties said goodbye. A failure is told to both, then raised.
// A connection that goes away, or stop, drops the other party in such a way that both come again.
correlation::DealerReport deal(const Visitor& first, const Visitor& second, const Dealing& dealing);

// serve_dealer meets exactly these parties, then deals. channels[i] is the link to party i.
correlation::DealerReport serve_dealer(const std::string& protocol,
                                       const std::vector<std::string>& names,
                                       std::vector<std::shared_ptr<net::Channel>> channels,
                                       const net::Terms& terms, const Dealing& dealing);

}  // namespace petcore::session
