// The dealer's end of one session.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "correlation/dealer.h"
#include "net/handshake.h"
#include "session/session.h"

namespace petcore::session {

// serve_dealer agrees with every party, takes their seeds and answers requests until all of them
// said goodbye. channels[i] is the link to party i. A failure is told to every party, then raised.
correlation::DealerReport serve_dealer(const std::string& protocol,
                                       const std::vector<std::string>& names,
                                       std::vector<std::shared_ptr<net::Channel>> channels,
                                       const Terms& terms, std::size_t threads = 1,
                                       const std::function<void()>& interrupted = {});

}  // namespace petcore::session
