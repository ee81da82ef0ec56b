#include <algorithm>

#include "net/channel_state.h"

namespace petcore::net {
namespace {

constexpr milliseconds kSlice{50};

milliseconds until(Clock::time_point end, Clock::time_point now) {
  return std::chrono::ceil<milliseconds>(end - now);
}

}  // namespace

void Channel::State::transfer(Outgoing& outgoing, Bytes out) {
  progress = Clock::now();
  sink = {step.tag, out, 0};
  active = &outgoing;
  try {
    sink.filled = inbox.take(step.tag, out);
    transfer_unguarded(outgoing);
  } catch (...) {
    complete_frame();
    sink = {};
    active = nullptr;
    throw;
  }
  sink = {};
  active = nullptr;
}

void Channel::State::transfer_unguarded(Outgoing& outgoing) {
  bool flushed = true;
  while (true) {
    const bool sending = !done(outgoing);
    const bool receiving = sink.filled < sink.out.size();
    if (!sending && !receiving && flushed) return;
    if (notice) throw notice_error(*notice);
    bool moved = false;
    if (sending || !flushed) {
      try {
        moved = sending && put_out(outgoing);
        const bool all_taken = channel.flush();
        moved |= all_taken && !flushed;  // perhaps all that was left to do
        flushed = all_taken;
      } catch (const Error& error) {
        // What the peer said before it left explains more than the broken pipe.
        do inbox.clear();
        while (take_in());
        check_open();
        throw closed_error(error.what());
      }
    }
    if (receiving) {
      // Before reading: what lies in the inbox may belong to another step.
      check_tag(FrameType::data);
      moved |= take_in();
      if (sink.filled < sink.out.size()) {
        check_tag(FrameType::data);
        if (!moved) check_open();
      }
    } else if (!moved) {
      moved = take_in();
      if (!moved) check_open();
    }
    if (moved)
      beat(progress);
    else
      pause(sending || !flushed, true);
  }
}

std::optional<Channel::Message> Channel::State::next(bool deadline) {
  progress = Clock::now();
  while (true) {
    if (deadline) check_tag(FrameType::message);
    if (!inbox.empty()) {
      if (inbox.type() != FrameType::message) disagree();
      const std::uint64_t tag = inbox.tag();
      if (auto payload = inbox.take_message()) return Message{tag, std::move(*payload)};
    }
    if (take_in()) continue;
    if (goodbye_received && !notice && !deadline) return std::nullopt;
    check_open();
    pause(false, deadline);
  }
}

void Channel::State::check_alive(Clock::time_point now) {
  // Silence counts only while this party listens: not while it computed without a service thread,
  // was suspended, or left the inbox full.
  if (now - attended > channel.limits_.silence / 3 || !wants_input()) alive_since = now;
  attended = now;
  if (now - std::max(last_in, alive_since) <= channel.limits_.silence) return;
  throw make_error(Code::silent,
                   who() + " fell silent: not even a heartbeat for " +
                       std::to_string(channel.limits_.silence.count()) + " ms " + where() +
                       ". Its process hangs or the network drops packets; look at its log, then "
                       "start a new session");
}

void Channel::State::pause(bool want_write, bool deadline) {
  try {
    if (watch) watch();
  } catch (const Error& error) {
    throw Error(error.code(), error.what(), error.party(), error.address(), step.what);
  }
  const auto now = Clock::now();
  const Limits& limits = channel.limits_;
  beat(now);
  check_alive(now);
  if (deadline && now - progress > limits.deadline) {
    const bool clogged = want_write && !wants_input();
    throw make_error(
        Code::late,
        who() + " is alive but " + (want_write ? "took no data" : "sent no data") + " for " +
            std::to_string(limits.deadline.count()) + " ms " + where() +
            (clogged
                 ? ". Both parties send more than inbox_bytes_max and neither receives; "
                   "send and receive in turns"
                 : ". It is busy or waits for someone else; raise deadline_s if this is normal, "
                   "then start a new session"));
  }
  auto wake = now + kSlice;
  if (deadline) wake = std::min(wake, progress + limits.deadline);
  wake = std::min(wake, std::max(last_in, alive_since) + limits.silence);
  const bool writes = want_write || !pending.empty();
  channel.wait_ready(wants_input(), writes, std::max(milliseconds(1), until(wake, now)));
}

}  // namespace petcore::net
