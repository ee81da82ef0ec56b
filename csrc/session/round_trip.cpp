#include "session/round_trip.h"

#include <algorithm>

#include "base/bytes.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

using net::Clock;
using std::chrono::milliseconds;

// Enough to meet one that nothing held up; where links are slow, three say as much as ten.
constexpr int kPingsMax = 10, kPingsMin = 3;
constexpr milliseconds kPatience{10};
constexpr milliseconds kLongest{60'000};

net::Step ping_step() { return named_step("measuring the round trip"); }

Clock::duration shortest_ping(net::Channel& channel) {
  const net::Step step = ping_step();
  auto shortest = Clock::duration::max();
  const auto began = Clock::now();
  for (int i = 0; i < kPingsMax && (i < kPingsMin || Clock::now() - began < kPatience); ++i) {
    const auto sent = Clock::now();
    channel.send_message(step, {});
    check(channel.recv_message(step).empty(), Code::frame, "a peer answers a ping with data");
    shortest = std::min(shortest, Clock::now() - sent);
  }
  return shortest;
}

milliseconds answer_pings(net::Channel& channel) {
  const net::Step step = ping_step();
  for (int i = 0; i <= kPingsMax; ++i) {
    const auto message = channel.recv_message(step);
    if (message.empty()) {
      channel.send_message(step, {});
      continue;
    }
    ByteReader reader(message);
    const milliseconds told(reader.get<std::uint32_t>());
    reader.expect_end();
    check(told <= kLongest, Code::frame, "a peer tells of a round trip of more than a minute");
    return told;
  }
  throw Error(Code::frame, "a peer does not stop to measure the round trip");
}

bool in_one_process(const std::map<int, std::shared_ptr<net::Channel>>& peers) {
  return std::all_of(peers.begin(), peers.end(),
                     [](const auto& peer) { return peer.second->transport() == "memory"; });
}

}  // namespace

milliseconds measure_round_trip(int party,
                                const std::map<int, std::shared_ptr<net::Channel>>& peers) {
  if (in_one_process(peers)) return milliseconds(0);
  if (party != 0) return answer_pings(*peers.at(0));
  Clock::duration slowest{0};
  for (const auto& [id, channel] : peers) slowest = std::max(slowest, shortest_ping(*channel));
  const auto whole = std::min(std::chrono::floor<milliseconds>(slowest), kLongest);
  ByteWriter message;
  message.put(static_cast<std::uint32_t>(whole.count()));
  for (const auto& [id, channel] : peers) channel->send_message(ping_step(), message.bytes());
  return whole;
}

}  // namespace petcore::session
