#include "net/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <thread>

#ifdef __linux__
#include <linux/sockios.h>
#endif

namespace petcore::net {
namespace {

constexpr std::chrono::microseconds kWakefulness{60};

constexpr int kBacklog = 16;
constexpr milliseconds kSlice{50};
constexpr milliseconds kPauseMin{20}, kPauseMax{200};

std::string reason(int number) { return std::strerror(number); }

// would_wait separates "not now" from "never again".
std::size_t would_wait_or_closed(int number) {
  if (number == EAGAIN || number == EWOULDBLOCK || number == EINTR) return 0;
  throw Error(Code::closed, reason(number));
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Addresses look_up(const Address& address, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const char* host = address.host.empty() ? nullptr : address.host.c_str();
  const int rc = ::getaddrinfo(host, std::to_string(address.port).c_str(), &hints, &found);
  if (rc != 0)
    throw Error(Code::unreachable,
                "the host name '" + address.host + "' cannot be resolved: " + ::gai_strerror(rc));
  return {found, &::freeaddrinfo};
}

Socket make_socket(const addrinfo& info) {
  Socket socket(::socket(info.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) throw Error(Code::unreachable, "no socket: " + reason(errno));
  return socket;
}

// The kernel's own tuning gives larger buffers than SO_SNDBUF may; so only the delay is switched
// off.
void no_delay(const Socket& socket) {
  const int on = 1;
  ::setsockopt(socket.descriptor(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::uint16_t port_of(const sockaddr_storage& address) {
  return ntohs(address.ss_family == AF_INET6
                   ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                   : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::uint16_t remote_port(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getpeername(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  return port_of(address);
}

// connect_once returns an errno, 0 for a connection.
int connect_once(const Socket& socket, const addrinfo& info, Clock::time_point deadline,
                 const Interrupt& interrupt) {
  if (::connect(socket.descriptor(), info.ai_addr, info.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  while (true) {
    if (interrupt) interrupt();
    pollfd waiting{socket.descriptor(), POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(kSlice.count()));
    if (ready > 0) break;
    if (Clock::now() >= deadline) return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  // A port that nobody listens to may by chance be this socket's own: it then calls itself.
  if (error == 0 && local_port(socket) == remote_port(socket)) return ECONNREFUSED;
  return error;
}

std::string numeric(const sockaddr* address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getnameinfo(address, size, host.data(), host.size(), port.data(), port.size(),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "an unknown address";
  return Address{host.data(), static_cast<std::uint16_t>(std::stoi(port.data()))}.text();
}

bool everything_arrived(int descriptor) {
#ifdef SIOCOUTQ
  int waiting = 0;
  return ::ioctl(descriptor, SIOCOUTQ, &waiting) != 0 || waiting == 0;
#else
  return descriptor < 0;
#endif
}

}  // namespace

void Socket::close() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

std::size_t Socket::read_some(Bytes out) {
  if (descriptor_ < 0) throw Error(Code::closed, "this end was closed");
  const ssize_t n = ::recv(descriptor_, out.data(), out.size(), 0);
  if (n < 0) return would_wait_or_closed(errno);
  if (n == 0 && !out.empty()) throw Error(Code::closed, "end of the byte stream");
  return static_cast<std::size_t>(n);
}

std::size_t Socket::write_some(ConstBytes in) {
  if (descriptor_ < 0) throw Error(Code::closed, "this end was closed");
  const ssize_t n = ::send(descriptor_, in.data(), in.size(), MSG_NOSIGNAL);
  return n < 0 ? would_wait_or_closed(errno) : static_cast<std::size_t>(n);
}

void Socket::shut(milliseconds patience) noexcept {
  if (descriptor_ < 0) return;
  ::shutdown(descriptor_, SHUT_WR);
  const auto end = Clock::now() + patience;
  std::array<std::byte, 4096> unwanted;
  try {
    while (!everything_arrived(descriptor_) && Clock::now() < end) {
      while (read_some(unwanted) > 0 && Clock::now() < end) {
      }
      wait_ready(descriptor_, true, false, milliseconds(2));
    }
  } catch (const Error&) {
    // The peer is gone.
  }
  close();
}

void wait_ready(int descriptor, bool want_read, bool want_write, milliseconds timeout) {
  const int events = (want_read ? POLLIN : 0) | (want_write ? POLLOUT : 0);
  pollfd waiting{descriptor, static_cast<short>(events), 0};
  // Falling asleep and being woken costs more than the answer of a near peer takes.
  const auto sleep_at = Clock::now() + kWakefulness;
  do {
    if (::poll(&waiting, 1, 0) != 0) return;
    ::sched_yield();
  } while (Clock::now() < sleep_at);
  ::poll(&waiting, 1, static_cast<int>(timeout.count()));
}

std::string Address::text() const {
  const bool colons = host.find(':') != std::string::npos;
  return (colons ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Socket connect_tcp(const Address& address, Clock::time_point deadline, const Interrupt& interrupt) {
  const Addresses addresses = look_up(address, 0);
  milliseconds pause = kPauseMin;
  while (true) {
    int error = ETIMEDOUT;
    for (const addrinfo* info = addresses.get(); info != nullptr; info = info->ai_next) {
      Socket socket = make_socket(*info);
      error = connect_once(socket, *info, deadline, interrupt);
      if (error != 0) continue;
      no_delay(socket);
      return socket;
    }
    if (Clock::now() + pause >= deadline) throw Error(Code::unreachable, reason(error));
    if (interrupt) interrupt();
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kPauseMax);
  }
}

Socket listen_tcp(const Address& address) {
  const Addresses addresses = look_up(address, AI_PASSIVE);
  int error = EADDRNOTAVAIL;
  for (const addrinfo* info = addresses.get(); info != nullptr; info = info->ai_next) {
    Socket socket = make_socket(*info);
    const int on = 1;
    ::setsockopt(socket.descriptor(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.descriptor(), info->ai_addr, info->ai_addrlen) == 0 &&
        ::listen(socket.descriptor(), kBacklog) == 0)
      return socket;
    error = errno;
  }
  throw Error(Code::usage, "cannot listen at " + address.text() + ": " + reason(error) +
                               ". Choose another port, or stop the program that holds it");
}

std::uint16_t local_port(const Socket& socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &size);
  return port_of(address);
}

Socket accept_tcp(const Socket& listener, std::string& caller) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Socket socket(::accept4(listener.descriptor(), reinterpret_cast<sockaddr*>(&address), &size,
                          SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return socket;
  no_delay(socket);
  caller = numeric(reinterpret_cast<sockaddr*>(&address), size);
  return socket;
}

}  // namespace petcore::net
