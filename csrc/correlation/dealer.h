// The dealer's side: expands both parties' seeds and sends party 1 the words that make the sums
// right. It sees kinds and sizes of operations; no input, share or output ever reaches it.
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

// serve answers requests on `adjusted` (the link to party 1) until that party says goodbye.
// A request out of bounds, or a counter that does not grow, raises Code::frame or
// Code::correlation; nothing is sent for it.
DealerReport serve(net::Channel& adjusted, const prg::Seed (&seeds)[2], Pool& pool);

}  // namespace petcore::correlation
