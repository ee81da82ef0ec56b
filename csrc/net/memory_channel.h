// MemoryChannel: a link between two threads of one process, for simulation and tests.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/channel.h"

namespace petcore::net {

// MemoryEnd is one end of a pair of bounded byte queues; raw, without frames.
class MemoryEnd {
 public:
  // binding is what both ends report as unique to them; random where left out.
  static std::pair<MemoryEnd, MemoryEnd> make_pair(
      const std::optional<std::array<std::byte, 32>>& binding = std::nullopt);
  std::size_t read_some(Bytes out);
  std::size_t write_some(ConstBytes in);
  void wait_ready(bool want_read, bool want_write, milliseconds timeout);
  void shut() noexcept;
  std::array<std::byte, 32> binding() const;

 private:
  struct Pipe;
  MemoryEnd(std::shared_ptr<Pipe> pipe, int side) : pipe_(std::move(pipe)), side_(side) {}
  std::shared_ptr<Pipe> pipe_;
  int side_;
};

// make_memory_channel puts frames on one end.
std::unique_ptr<Channel> make_memory_channel(MemoryEnd end, const std::string& peer_name,
                                             const Limits& limits);

// make_memory_channels returns the channel that party name_a holds (its peer is name_b), then
// name_b's. The two ends belong to different threads.
std::pair<std::unique_ptr<Channel>, std::unique_ptr<Channel>> make_memory_channels(
    const std::string& name_a, const std::string& name_b, const Limits& limits);

}  // namespace petcore::net
