// Env: what an operation may touch while it runs. Alive for one operation.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/buffer.h"
#include "base/pool.h"
#include "correlation/source.h"
#include "net/channel.h"
#include "prg/prg.h"

namespace petcore::protocol {

// Meter counts what really happened.
struct Meter {
  std::uint64_t rounds = 0, bytes_sent = 0, bytes_received = 0;
};

struct Env {
  int party;
  std::map<int, std::shared_ptr<net::Channel>>& peers;
  correlation::Source& source;
  const prg::Seed& common_seed;  // known to all parties, to nobody else
  std::uint64_t step_index;      // unique within the session
  const net::Step& step;
  Meter& meter;
  Pool& pool;  // for work on whole matrices
};

// How many chunks a party may be ahead of its peer. With one in flight and one in the making the
// link stays busy; many more would only cost memory.
constexpr std::size_t kAhead = 3;

// Exchange is one full-duplex round with a peer, cut into chunks so that computing, sending and
// receiving overlap. `produce(i, own)` fills the head of own and returns the words used;
// `consume(i, own, theirs)` sees the same chunk of both sides before chunk i + kAhead + 1 is
// produced. A chunk of no words is not sent, and not consumed.
struct Exchange {
  std::size_t num_chunks;
  std::size_t chunk_words_max;
  std::function<std::size_t(std::size_t, Words)> produce;
  std::function<void(std::size_t, ConstWords, ConstWords)> consume;
};
void run_exchange(Env& env, int peer, const Exchange& exchange);

// one_way sends words to a peer, or receives them: one round.
void send_words(Env& env, int peer, ConstWords words);
void receive_words(Env& env, int peer, Words words);

}  // namespace petcore::protocol
