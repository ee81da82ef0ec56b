// TCP sockets: non-blocking, closed on exec, never raising SIGPIPE.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "net/channel.h"

namespace petcore::net {

// Interrupt is asked during long waits (connecting, listening); what it throws ends the wait.
using Interrupt = std::function<void()>;

class Socket {
 public:
  Socket() = default;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() { close(); }
  int descriptor() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }
  void close() noexcept;

  // 0: nothing can move now. Both raise Code::closed with the system's reason.
  std::size_t read_some(Bytes out);
  std::size_t write_some(ConstBytes in);
  // shut ends the outgoing stream and waits until the peer's system has all of it, at most
  // patience. Closing at once would let a byte that nobody reads turn into a reset, which discards
  // the rest.
  void shut(milliseconds patience) noexcept;

 private:
  int descriptor_ = -1;
};

// wait_ready waits until the socket can be read or written, or is dead, or time is up.
void wait_ready(int descriptor, bool want_read, bool want_write, milliseconds timeout);

struct Address {
  std::string host;
  std::uint16_t port = 0;
  std::string text() const;  // "127.0.0.1:7001", "[::1]:7001"
};

// connect_tcp tries every address of the host, again and again with a short pause, until one
// answers. Raises Code::unreachable, with the system's last reason, at the deadline. Looking up a
// host name that is not numeric can take longer than the deadline.
Socket connect_tcp(const Address& address, Clock::time_point deadline, const Interrupt& interrupt);
// listen_tcp binds; port 0 takes a free one. Raises Code::usage if the address cannot be bound.
Socket listen_tcp(const Address& address);
std::uint16_t local_port(const Socket& socket);
// accept_tcp returns an empty socket if nobody waits.
Socket accept_tcp(const Socket& listener, std::string& caller);

}  // namespace petcore::net
