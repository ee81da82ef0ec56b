// Shaping: makes a link slower, so that a program can be tried as it will run between cities.
#pragma once

#include <chrono>
#include <memory>

#include "net/socket.h"

namespace petcore::net {

// LinkShape: what is added to what this end sends. Each end shapes its own direction: with half of
// the round trip at both, an answer takes the whole one longer. Neither losses nor the slow start
// of TCP are imitated.
struct LinkShape {
  std::chrono::nanoseconds one_way{0};
  double bytes_per_second = 0;  // 0: as many as the link takes

  bool is_plain() const { return one_way.count() == 0 && bytes_per_second == 0; }
};

// Shaper stands between a byte stream and a socket: one thread takes what is written, holds it
// until it is due, and passes on what arrives. It holds at most what the shaped line can carry and
// kShaperBytesMax; then it takes no more, as a full socket does.
class Shaper {
 public:
  static constexpr std::size_t kShaperBytesMax = 64 << 20;

  // insert returns the end to use instead of socket, which is left alone if this fails.
  // Raises Code::usage for a shape that is negative, not finite, or slower than 10 s one way or
  // 1000 bytes per second.
  static std::pair<Socket, std::unique_ptr<Shaper>> insert(Socket&& socket, const LinkShape& shape);
  // After the near end is closed the destructor waits until the peer's system has what was written
  // before, at most 5 s, unless drop_unsent was called. In a child of fork() it only lets go.
  ~Shaper();
  void drop_unsent() noexcept;
  Shaper(const Shaper&) = delete;
  Shaper& operator=(const Shaper&) = delete;

 private:
  struct Relay;
  explicit Shaper(std::unique_ptr<Relay> relay);
  std::unique_ptr<Relay> relay_;
};

}  // namespace petcore::net
