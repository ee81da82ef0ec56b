// Channel: one authenticated, ordered, framed link to one peer. Full duplex: while a send waits for
// the peer to read, incoming bytes are taken in, so both sides may send large vectors at once.
//
// Every wait ends: at the deadline (Code::late), when nothing at all arrives for the silence limit
// (Code::silent), when the link dies (Code::closed) or when the peer aborts (Code::aborted). The
// deadline counts from the last payload byte that moved in this call, so that a large vector over a
// slow line is not cut off.
// A failed channel stays failed: later calls raise Code::broken with the first cause. A failure
// that the service thread saw is raised with its own code by the owner's next call.
// After fork() only the process that made a channel may use it: in the child calls raise
// Code::broken, close and abort do nothing, and the link of the parent stays as it is.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"

namespace petcore::net {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Limits {
  std::uint32_t frame_bytes_max = 1 << 20;
  std::uint32_t message_bytes_max = 1 << 16;
  std::size_t inbox_bytes_max = 16 << 20;  // read ahead of recv
  milliseconds deadline{30000};            // for data that a live peer owes us
  milliseconds silence{1500};              // without even a heartbeat
  milliseconds heartbeat{300};
};

struct LinkShape;  // net/shaping.h

struct Peer {
  std::string name;     // "wallet"
  std::string address;  // "127.0.0.1:7001", "in this process"
};

// Step: what the caller is doing. Both ends must be at the same tag when data move.
struct Step {
  std::uint64_t tag = 0;
  std::string what;  // "step 17: mul int64 (1000,)"; sent to the peer only when something fails
};

struct Counters {
  std::uint64_t payload_sent = 0, payload_received = 0;  // bytes handed to send / out of recv
  std::uint64_t wire_sent = 0, wire_received = 0;        // with frame headers, heartbeats (not TLS)
  std::uint64_t frames_sent = 0, frames_received = 0;
};

class Channel {
 public:
  Channel(Peer peer, Limits limits);
  virtual ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // send writes payload as data frames and returns when the link has taken every byte.
  void send(const Step& step, ConstBytes payload);
  // recv fills out exactly from the data frames of the same step. Frame borders carry no meaning.
  void recv(const Step& step, Bytes out);
  // exchange sends payload and fills out at the same time. Parties that swap more than
  // inbox_bytes_max need it (or send and recv in turns): send alone reads ahead no further.
  void exchange(const Step& step, ConstBytes payload, Bytes out);
  // A message has a length of its own, bounded by message_bytes_max at both ends.
  void send_message(const Step& step, ConstBytes payload);
  std::vector<std::byte> recv_message(const Step& step);
  // next_message waits without deadline (a server between requests) but notices a dead or silent
  // peer; nullopt after the peer said goodbye. Any step tag is accepted and returned.
  struct Message {
    std::uint64_t tag;
    std::vector<std::byte> payload;
  };
  std::optional<Message> next_message(const Step& step);

  // close says goodbye; abort tells the peer why this party gives up. Neither throws, neither waits
  // longer than 200 ms, plus 200 ms if another thread is inside a call.
  void close() noexcept;
  void abort(Code code, const std::string& text, const Step& step) noexcept;

  // serve is called by a service thread while the owner computes: sends a heartbeat when one is due
  // and takes in what has arrived; it never waits and does nothing while the owner is inside a
  // call. The first failure it sees is kept and returned by failure().
  void serve() noexcept;
  std::optional<Error> failure() const;
  // called says whether something from the peer waits to be taken, be it an abort. It never waits.
  bool called() noexcept;
  // left says whether the peer has said goodbye, aborted or gone away. It takes in what has arrived
  // and never waits; unlike serve it expects no heartbeat (the peer may still be meeting others).
  bool left() noexcept;
  // ended says whether the peer said goodbye; like left it takes in what has arrived.
  bool ended() noexcept;
  // watch is asked during every wait (at least every 50 ms); what it throws ends the wait. A mesh
  // uses it so that a failure on a sibling link ends a wait on this one. It runs while the channel
  // is locked and may call only failure(), counters() and peer() of any channel. set_watch raises
  // Code::busy if another thread stays inside a call for more than 200 ms.
  void set_watch(std::function<void()> watch);
  void set_limits(const Limits& limits);
  // shape slows down what this end sends, to try out a line between cities; once per channel.
  // close and abort then wait until what was sent has left, at most 5 s. Raises Code::usage for a
  // transport that cannot be shaped (memory).
  void shape(const LinkShape& shape);

  const Peer& peer() const { return peer_; }
  const Limits& limits() const { return limits_; }
  Counters counters() const;
  // binding: 32 bytes equal at both ends and unique to this connection (TLS exporter, RFC 9266).
  virtual std::array<std::byte, 32> binding() const = 0;
  virtual std::string transport() const = 0;  // "TLSv1.3 TLS_AES_128_GCM_SHA256", "memory"

 protected:
  // Byte transport below the frames; used by one thread at a time. None blocks (wait_ready: at most
  // timeout). read_some / write_some return the bytes moved, 0 if none can move now, and throw
  // Error(closed, reason) when the link is gone. flush returns true once the system has taken
  // whatever write_some accepted. Destructors of transports call shut.
  virtual std::size_t read_some(Bytes out) = 0;
  virtual std::size_t write_some(ConstBytes in) = 0;
  virtual bool flush() { return true; }
  virtual void wait_ready(bool want_read, bool want_write, milliseconds timeout) = 0;
  // shut ends the link; it may wait until the peer's system has the last bytes, at most patience.
  virtual void shut(milliseconds patience) noexcept = 0;
  virtual void insert_shaper(const LinkShape& shape);

 private:
  struct State;
  Peer peer_;
  Limits limits_;
  std::unique_ptr<State> state_;
};

}  // namespace petcore::net
