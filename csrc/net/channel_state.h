// Channel::State: what a channel remembers, and the work below its calls. Private to net/.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "base/process.h"
#include "net/channel.h"
#include "net/frame.h"
#include "net/inbox.h"

namespace petcore::net {

struct Channel::State {
  explicit State(Channel& owner);

  // --- calls (channel_state.cpp) ---
  // begin is the start of each call: notes the step and raises what failed before.
  void begin(const Step& step);
  // keep remembers the first failure; raised tells whether the owner has seen it.
  void keep(const Error& error, bool raised);
  Error make_error(Code code, const std::string& message) const;
  Error explain(const Error& error) const;  // a transport's or parser's error, with party and step
  std::string who() const;
  std::string where() const;  // "at step 17: ...", or "after" it when the owner was elsewhere
  Error closed_error(const std::string& reason) const;
  Error goodbye_error() const;
  Error mismatch_error(const std::string& their_step) const;
  Error notice_error(const Notice& notice) const;

  // --- bytes in (channel_in.cpp) ---
  // Sink is where the data of the current recv go without a stop in the inbox.
  struct Sink {
    std::uint64_t tag = 0;
    Bytes out;
    std::size_t filled = 0;
  };
  // take_in reads once from the link; false if nothing came. It raises for bad frames; an abort,
  // a goodbye or the end of the link is only noted, for what came before it may still be wanted.
  bool take_in();
  bool wants_input() const;
  void parse();
  void begin_frame(const FrameHeader& header);
  Bytes payload_room();
  void received(std::size_t num_bytes);
  void end_frame();
  // check_tag raises Code::step unless the frames at hand carry this step's data.
  void check_tag(FrameType type);
  [[noreturn]] void disagree();
  void check_open() const;  // raises if nothing more can come

  // --- bytes out (channel_out.cpp) ---
  struct Outgoing {
    FrameType type = FrameType::data;
    ConstBytes payload;
    std::size_t begun = 0;  // bytes whose frame has been opened
    std::size_t sent = 0;
  };
  // put_out writes once; false if the link takes nothing now.
  bool put_out(Outgoing& outgoing);
  bool done(const Outgoing& outgoing) const;
  bool push_pending();
  void queue_frame(FrameType type, std::size_t length);
  void beat(Clock::time_point now);
  // last_words sends a closing frame if no torn frame stands in its way; waits at most patience.
  void last_words(FrameType type, ConstBytes payload, milliseconds patience) noexcept;
  // complete_frame sends the rest of the open frame, if the peer takes it soon: a frame that is cut
  // short would hide every later one.
  void complete_frame() noexcept;

  // --- waiting (channel_wait.cpp) ---
  void transfer(Outgoing& outgoing, Bytes out);
  void transfer_unguarded(Outgoing& outgoing);
  std::optional<Message> next(bool deadline);
  void pause(bool want_write, bool deadline);
  void check_alive(Clock::time_point now);

  Channel& channel;
  const Born born;
  std::timed_mutex mutex;  // its holder may use the link
  std::function<void()> watch;
  bool in_call = false;
  Step step;  // of the current call, or of the last one

  mutable std::mutex failure_mutex;
  std::optional<Error> failure;
  std::atomic<bool> failed{false};
  bool failure_raised = false;

  // In
  std::vector<std::byte> staging;
  std::size_t staged_begin = 0, staged_end = 0;
  std::optional<FrameHeader> frame;  // the frame whose payload is arriving
  std::size_t frame_left = 0;
  std::uint64_t sequence_in = 0;
  std::vector<std::byte> notice_bytes;
  std::optional<Notice> notice;
  Inbox inbox;
  Sink sink;
  bool goodbye_received = false;
  std::optional<std::string> end_reason;  // why no byte can come any more

  // Out
  std::vector<std::byte> pending;  // opened frames, or their beginnings, not yet taken by the link
  std::size_t pending_begin = 0;
  std::uint64_t sequence_out = 0;
  Outgoing* active = nullptr;      // of the current call
  std::size_t frame_out_left = 0;  // payload bytes that the open frame still owes
  bool finished = false;           // the last frame was sent, or a torn one forbids more

  // Clocks
  Clock::time_point last_in, last_out, progress, attended, alive_since;

  std::atomic<std::uint64_t> payload_sent{0}, payload_received{0}, wire_sent{0}, wire_received{0},
      frames_sent{0}, frames_received{0};
};

}  // namespace petcore::net
