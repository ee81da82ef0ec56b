// TlsListener: waits for expected peers at one TCP port.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "net/channel.h"
#include "net/tls_link.h"

namespace petcore::net {

class TlsListener {
 public:
  // Port 0 takes a free port. Raises Code::usage if the address cannot be bound.
  TlsListener(const Address& address, const Identity& identity);
  ~TlsListener();

  // accept returns a channel to the first of the expected peers that calls and proves its key.
  // Others cannot stop it: a stranger, a caller that speaks no TLS 1.3 or one that says nothing for
  // 2 s is dropped, and up to 16 callers shake hands at a time. At the timeout it raises
  // Code::untrusted if callers came but none with an expected key (their fingerprints are named),
  // Code::unreachable otherwise.
  // While several peers are due, expect all of them in every call: who is not expected is refused.
  std::unique_ptr<Channel> accept(const std::vector<Pin>& peers, milliseconds timeout,
                                  const Limits& limits, const Interrupt& interrupt = {});
  Address address() const { return address_; }
  void close() noexcept;

 private:
  struct Caller;
  struct Visitors;  // what became of the callers, for the error
  void take_callers(const std::vector<Pin>& peers);
  std::unique_ptr<Channel> serve_callers(const std::vector<Pin>& peers, const Limits& limits,
                                         Visitors& visitors);
  void wait(milliseconds timeout) const;

  Address address_;
  SslContext context_;
  Socket socket_;
  std::list<Caller> callers_;
};

}  // namespace petcore::net
