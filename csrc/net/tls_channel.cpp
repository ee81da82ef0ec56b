#include "net/tls_channel.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace petcore::net {
namespace {

constexpr milliseconds kSlice{50};
constexpr milliseconds kHangUpPause{100};
constexpr const char* kStep = "step: connect";

class TlsChannel final : public Channel {
 public:
  TlsChannel(std::unique_ptr<TlsLink> link, Peer peer, const Limits& limits)
      : Channel(std::move(peer), limits), link_(std::move(link)) {}
  ~TlsChannel() override { link_->shut(milliseconds(0)); }
  std::array<std::byte, 32> binding() const override { return link_->binding(); }
  std::string transport() const override { return link_->cipher(); }

 protected:
  std::size_t read_some(Bytes out) override { return link_->read_some(out); }
  std::size_t write_some(ConstBytes in) override { return link_->write_some(in); }
  bool flush() override { return link_->flush(); }
  void wait_ready(bool want_read, bool want_write, milliseconds timeout) override {
    link_->wait_ready(want_read, want_write, timeout);
  }
  void shut(milliseconds patience) noexcept override { link_->shut(patience); }
  void insert_shaper(const LinkShape& shape) override { link_->shape(shape); }

 private:
  std::unique_ptr<TlsLink> link_;
};

// shake_hands waits for the handshake; false at the deadline.
bool shake_hands(TlsLink& link, Clock::time_point deadline, const Interrupt& interrupt) {
  while (!link.advance()) {
    if (interrupt) interrupt();
    const auto now = Clock::now();
    if (now >= deadline) return false;
    const auto left = std::chrono::ceil<milliseconds>(deadline - now);
    link.wait_ready(true, false, std::min(kSlice, left));
  }
  return true;
}

Error named(const Error& error, const Pin& peer, const Address& address,
            const std::string& stranger) {
  const std::string who = peer.name + " at " + address.text();
  const auto make = [&](Code code, const std::string& text) {
    return Error(code, text, peer.name, address.text(), kStep);
  };
  switch (error.code()) {
    case Code::unreachable:
      return make(error.code(), who + " could not be reached (step: connect): " + error.what() +
                                    ". Start it, check the address and the firewall");
    case Code::closed:
      return make(error.code(),
                  who + " hangs up while connecting (" + error.what() +
                      "): it may be stopping or serve another session; look at its log");
    case Code::untrusted:
      if (!stranger.empty())
        return make(error.code(), who + " is not trusted: its key has the fingerprint " + stranger +
                                      ", the pinned one is " + peer.fingerprint +
                                      ". Ask its owner which is right; do not go on before");
      return make(error.code(), "the link to " + who + " is not trusted: " + error.what() +
                                    ". Give its owner this party's fingerprint to pin");
    case Code::frame:
      return make(error.code(),
                  "what answers for " + who + " is no petcore party: " + error.what());
    default:
      return error;
  }
}

}  // namespace

std::unique_ptr<Channel> make_tls_channel(std::unique_ptr<TlsLink> link, Peer peer,
                                          const Limits& limits) {
  return std::make_unique<TlsChannel>(std::move(link), std::move(peer), limits);
}

std::unique_ptr<Channel> connect_tls(const Address& address, const Identity& identity,
                                     const Pin& peer, milliseconds timeout, const Limits& limits,
                                     const Interrupt& interrupt) {
  check_pins({peer});
  const SslContext context = make_context(identity);
  const auto deadline = Clock::now() + timeout;
  while (true) {
    std::string stranger;
    try {
      auto link = std::make_unique<TlsLink>(context, connect_tcp(address, deadline, interrupt),
                                            TlsLink::Role::client, std::vector<Pin>{peer});
      try {
        if (shake_hands(*link, deadline, interrupt))
          return make_tls_channel(std::move(link), {peer.name, address.text()}, limits);
      } catch (const Error&) {
        if (link->recognition().match == nullptr) stranger = link->recognition().seen;
        throw;
      }
      throw Error(Code::unreachable, "it took the connection but did not finish the handshake");
    } catch (const Error& error) {
      const bool again = error.code() == Code::closed && Clock::now() + kHangUpPause < deadline;
      if (!again) throw named(error, peer, address, stranger);
    }
    if (interrupt) interrupt();
    std::this_thread::sleep_for(kHangUpPause);
  }
}

}  // namespace petcore::net
