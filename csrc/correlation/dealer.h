// The dealer's side: expands both parties' seeds and sends party 1 the words that make the sums
// right, and both parties what is dealt to both. It sees kinds and sizes of operations; no input,
// share or output ever reaches it.
//
// It remembers nothing but the seeds and the last counter. What it sends is a function of the seeds
// and the request alone, so a dealer that was started anew answers a request again with the same
// words, from where the party stopped receiving: none is ever dealt for another purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "base/pool.h"
#include "correlation/request.h"
#include "net/channel.h"
#include "prg/prg.h"

namespace petcore::correlation {

struct DealerReport {
  std::uint64_t requests = 0, bytes_sent = 0;
  std::map<Kind, std::uint64_t> units;
};

// Position: a party has received all of the requests before `counter`, and `words` of that one. It
// is the first message of a party that comes again.
struct Position {
  std::uint64_t counter = 0, words = 0;
  void write(ByteWriter& out) const;
  static Position read(ConstBytes message);
};

struct ServeOptions {
  bool resumed = false;                // the party's first message is its position
  std::uint64_t work_per_message = 0;  // see correlation/burden.h; 0: no bound
  std::uint64_t memory = 0;            // bytes for one request; 0: no bound
  // Asked before a party's request is answered with so many bytes; what it throws ends the session.
  std::function<void(int party, const Request&, std::uint64_t bytes)> admit = {};
  // Told of a failure on the link to one party, so that waits on the other link end too.
  std::function<void(const Error&)> failed = {};
};

// serve answers a party's requests on the link to it until that party says goodbye. Party 0 may ask
// for what is dealt to both only. A request out of bounds, or a counter that does not grow, raises
// Code::frame or Code::correlation, one beyond the options' bounds Code::limit; nothing is sent for
// its message.
DealerReport serve(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool,
                   const ServeOptions& options);

// serve_both serves both parties at once, and raises what failed first. The report counts requests
// and units once.
DealerReport serve_both(net::Channel& first, net::Channel& second, const prg::Seed (&seeds)[2],
                        Pool& pool, const ServeOptions& options);

}  // namespace petcore::correlation
