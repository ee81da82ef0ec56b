#include "net/tls_listener.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "net/tls_channel.h"

namespace petcore::net {
namespace {

constexpr std::size_t kCallersMax = 16;
constexpr milliseconds kCallerPatience{2000};
constexpr milliseconds kGoodbyePatience{20};
constexpr milliseconds kSlice{50};
constexpr const char* kStep = "step: accept";

std::string names_of(const std::vector<Pin>& peers, bool fingerprints) {
  std::string text;
  for (const Pin& pin : peers) {
    if (!text.empty()) text += ", ";
    text += fingerprints ? pin.name + " " + pin.fingerprint : pin.name;
  }
  return text;
}

}  // namespace

struct TlsListener::Caller {
  std::string address;
  std::unique_ptr<TlsLink> link;
  Clock::time_point patience_ends;
};

struct TlsListener::Visitors {
  std::size_t strangers = 0, others = 0;
  std::string stranger, other;  // the last of each, in words
};

TlsListener::TlsListener(const Address& address, const Identity& identity)
    : address_(address), context_(make_context(identity)), socket_(listen_tcp(address)) {
  address_.port = local_port(socket_);
}

TlsListener::~TlsListener() { close(); }

void TlsListener::close() noexcept {
  callers_.clear();
  socket_.close();
}

std::unique_ptr<Channel> TlsListener::accept(const std::vector<Pin>& peers, milliseconds timeout,
                                             const Limits& limits, const Interrupt& interrupt) {
  check(static_cast<bool>(socket_), Code::usage, "the listener is closed");
  check(!peers.empty(), Code::usage, "accept needs at least one expected peer");
  check_pins(peers);
  const auto deadline = Clock::now() + timeout;
  for (Caller& caller : callers_) caller.patience_ends = Clock::now() + kCallerPatience;
  Visitors visitors;
  while (true) {
    take_callers(peers);
    if (auto channel = serve_callers(peers, limits, visitors)) return channel;
    if (interrupt) interrupt();
    const auto now = Clock::now();
    if (now >= deadline) break;
    wait(std::min(kSlice, std::chrono::ceil<milliseconds>(deadline - now)));
  }
  const std::string waited = " within " + std::to_string(timeout.count()) + " ms at " +
                             address_.text() + " (step: accept)";
  if (visitors.strangers > 0)
    throw Error(Code::untrusted,
                "only strangers called" + waited + "; the last was " + visitors.stranger +
                    ", expected: " + names_of(peers, true) +
                    ". If it is the right party, pin its fingerprint",
                names_of(peers, false), address_.text(), kStep);
  throw Error(Code::unreachable,
              names_of(peers, false) + " did not call" + waited +
                  (visitors.others == 0 ? "" : "; another caller was dropped: " + visitors.other) +
                  ". Start it, check its configured address and the firewall",
              names_of(peers, false), address_.text(), kStep);
}

void TlsListener::take_callers(const std::vector<Pin>& peers) {
  while (callers_.size() < kCallersMax) {
    std::string from;
    Socket socket = accept_tcp(socket_, from);
    if (!socket) return;
    callers_.push_back(
        {from, std::make_unique<TlsLink>(context_, std::move(socket), TlsLink::Role::server, peers),
         Clock::now() + kCallerPatience});
  }
}

std::unique_ptr<Channel> TlsListener::serve_callers(const std::vector<Pin>& peers,
                                                    const Limits& limits, Visitors& visitors) {
  for (auto caller = callers_.begin(); caller != callers_.end();) {
    const Recognition& found = caller->link->recognition();
    std::string complaint;
    try {
      if (caller->link->advance()) {
        const std::string name = found.match->name, fingerprint = found.match->fingerprint;
        // It may have begun while an earlier accept expected others.
        const bool expected = std::any_of(peers.begin(), peers.end(), [&](const Pin& pin) {
          return pin.name == name && pin.fingerprint == fingerprint;
        });
        if (expected) {
          auto channel = make_tls_channel(std::move(caller->link), {name, caller->address}, limits);
          callers_.erase(caller);
          return channel;
        }
        complaint = name + " is not expected now";
      } else if (Clock::now() >= caller->patience_ends) {
        complaint = "did not finish the handshake in time";
      }
    } catch (const Error& error) {
      complaint = error.what();
    }
    if (complaint.empty()) {
      ++caller;
      continue;
    }
    if (!found.seen.empty() && found.match == nullptr) {
      ++visitors.strangers;
      visitors.stranger = caller->address + " with the fingerprint " + found.seen;
    } else {
      ++visitors.others;
      visitors.other = caller->address + ": " + complaint;
    }
    caller->link->shut(kGoodbyePatience);
    caller = callers_.erase(caller);
  }
  return nullptr;
}

void TlsListener::wait(milliseconds timeout) const {
  std::vector<pollfd> waiting;
  if (callers_.size() < kCallersMax) waiting.push_back({socket_.descriptor(), POLLIN, 0});
  for (const Caller& caller : callers_) waiting.push_back({caller.link->descriptor(), POLLIN, 0});
  ::poll(waiting.data(), waiting.size(), static_cast<int>(timeout.count()));
}

}  // namespace petcore::net
