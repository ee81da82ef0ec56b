// The dealer's side: expands both parties' seeds and sends party 1 the words that make the sums
// right, and both parties what is dealt to both. It sees kinds and sizes of operations; no input,
// share or output ever reaches it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>

#include "base/pool.h"
#include "correlation/request.h"
#include "net/channel.h"
#include "prg/prg.h"

namespace petcore::correlation {

struct DealerReport {
  std::uint64_t requests = 0, bytes_sent = 0;
  std::map<Kind, std::uint64_t> units;
};

// serve answers a party's requests on the link to it until that party says goodbye. Party 0 may ask
// for what is dealt to both only. A request out of bounds, or a counter that does not grow, raises
// Code::frame or Code::correlation; nothing is sent for it.
DealerReport serve(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool);

// serve_both serves both parties at once. What fails first is told to the other party and raised.
// The report counts the units once.
DealerReport serve_both(net::Channel& first, net::Channel& second, const prg::Seed (&seeds)[2],
                        Pool& pool);

}  // namespace petcore::correlation
