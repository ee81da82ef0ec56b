#include "protocol/env.h"

#include <array>

namespace petcore::protocol {
void run_exchange(Env& env, int peer, const Exchange& exchange) {
  net::Channel& link = *env.peers.at(peer);
  std::array<Buffer<std::uint64_t>, kAhead + 1> own;
  std::array<std::size_t, kAhead + 1> used{};
  const std::size_t num_buffers = std::min(kAhead + 1, exchange.num_chunks);
  for (std::size_t i = 0; i < num_buffers; ++i)
    own[i] = Buffer<std::uint64_t>(exchange.chunk_words_max);
  Buffer<std::uint64_t> theirs(exchange.chunk_words_max);

  for (std::size_t i = 0; i < exchange.num_chunks + kAhead; ++i) {
    ConstWords outgoing;
    if (i < exchange.num_chunks) {
      const std::size_t slot = i % (kAhead + 1);
      used[slot] = exchange.produce(i, own[slot].span());
      outgoing = own[slot].span().first(used[slot]);
    }
    const bool receives = i >= kAhead && i - kAhead < exchange.num_chunks;
    const std::size_t slot = (i + 1) % (kAhead + 1);  // of chunk i - kAhead
    const Words incoming = receives ? theirs.span().first(used[slot]) : Words();
    if (outgoing.empty() && incoming.empty()) continue;
    link.exchange(env.step, std::as_bytes(outgoing), std::as_writable_bytes(incoming));
    env.meter.bytes_sent += outgoing.size_bytes();
    env.meter.bytes_received += incoming.size_bytes();
    if (receives) exchange.consume(i - kAhead, own[slot].span().first(used[slot]), incoming);
  }
  ++env.meter.rounds;
}

void send_words(Env& env, int peer, ConstWords words) {
  env.peers.at(peer)->send(env.step, std::as_bytes(words));
  env.meter.bytes_sent += words.size_bytes();
  ++env.meter.rounds;
}

void receive_words(Env& env, int peer, Words words) {
  env.peers.at(peer)->recv(env.step, std::as_writable_bytes(words));
  env.meter.bytes_received += words.size_bytes();
  ++env.meter.rounds;
}

}  // namespace petcore::protocol
