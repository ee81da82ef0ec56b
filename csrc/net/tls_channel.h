// TlsChannel: frames over mutual TLS 1.3 between two processes.
#pragma once

#include <memory>
#include <string>

#include "net/channel.h"
#include "net/tls_link.h"

namespace petcore::net {

// make_tls_channel puts frames on a link whose handshake is complete.
std::unique_ptr<Channel> make_tls_channel(std::unique_ptr<TlsLink> link, Peer peer,
                                          const Limits& limits);

// connect_tls calls peer at host:port. Refused connections, and a listener that hangs up during the
// handshake, are tried again until the timeout. Raises Code::unreachable (nobody answered in time),
// Code::untrusted (the key there is not the pinned one, or the peer refused ours), Code::frame (no
// TLS 1.3 or no petcore at this address).
std::unique_ptr<Channel> connect_tls(const Address& address, const Identity& identity,
                                     const Pin& peer, milliseconds timeout, const Limits& limits,
                                     const Interrupt& interrupt = {});

}  // namespace petcore::net
