#include <algorithm>
#include <cstring>

#include "net/channel_state.h"

namespace petcore::net {
namespace {

// Short frames let heartbeats and aborts through; the beginning of a payload travels with its
// header.
constexpr std::size_t kFrameBytes = 256 << 10;
constexpr std::size_t kTogetherBytes = (16 << 10) - kHeaderBytes;
constexpr milliseconds kCompletionPatience{100};

}  // namespace

void Channel::State::queue_frame(FrameType type, std::size_t length) {
  const std::size_t at = pending.size();
  pending.resize(at + kHeaderBytes);
  encode_header(pending.data() + at,
                {static_cast<std::uint32_t>(length), type, sequence_out++, step.tag});
  frames_sent.fetch_add(1, std::memory_order_relaxed);
}

bool Channel::State::push_pending() {
  bool moved = false;
  while (pending_begin < pending.size()) {
    const std::size_t n = channel.write_some(ConstBytes(pending).subspan(pending_begin));
    if (n == 0) return moved;
    moved = true;
    pending_begin += n;
    wire_sent.fetch_add(n, std::memory_order_relaxed);
    last_out = Clock::now();
  }
  pending.clear();
  pending_begin = 0;
  return moved;
}

bool Channel::State::done(const Outgoing& outgoing) const {
  return outgoing.sent == outgoing.payload.size() && pending.empty() &&
         !(outgoing.type == FrameType::message && outgoing.begun == 0);
}

bool Channel::State::put_out(Outgoing& outgoing) {
  const ConstBytes payload = outgoing.payload;
  const bool opens = frame_out_left == 0 && pending.empty() &&
                     (outgoing.begun < payload.size() ||
                      (outgoing.type == FrameType::message && outgoing.begun == 0));
  if (opens) {
    const std::size_t limit = std::min<std::size_t>(kFrameBytes, channel.limits_.frame_bytes_max);
    const std::size_t left = payload.size() - outgoing.begun;
    const std::size_t length = outgoing.type == FrameType::message ? left : std::min(left, limit);
    queue_frame(outgoing.type, length);
    const std::size_t together = std::min(length, kTogetherBytes);
    const ConstBytes head = payload.subspan(outgoing.begun, together);
    pending.insert(pending.end(), head.begin(), head.end());
    frame_out_left = length - together;
    outgoing.begun += std::max<std::size_t>(length, 1);
    outgoing.sent += together;
  }
  const bool moved = push_pending();
  if (moved) progress = Clock::now();
  if (!pending.empty() || frame_out_left == 0) return moved;
  const std::size_t n = channel.write_some(payload.subspan(outgoing.sent, frame_out_left));
  if (n == 0) return moved;
  frame_out_left -= n;
  outgoing.sent += n;
  wire_sent.fetch_add(n, std::memory_order_relaxed);
  last_out = progress = Clock::now();
  return true;
}

void Channel::State::beat(Clock::time_point now) {
  if (finished || goodbye_received || end_reason || frame_out_left > 0) return;
  if (pending.empty()) {
    if (now - last_out < channel.limits_.heartbeat) return;
    queue_frame(FrameType::heartbeat, 0);
    last_out = now;
  }
  try {
    push_pending();
    channel.flush();
  } catch (const Error& error) {
    if (error.code() != Code::closed) throw;  // a broken pipe: reading will tell why
  }
}

void Channel::State::complete_frame() noexcept {
  if (frame_out_left == 0 || finished) return;
  const auto end = Clock::now() + kCompletionPatience;
  try {
    while (frame_out_left > 0 && !end_reason && Clock::now() < end) {
      const ConstBytes rest = active->payload.subspan(active->sent, frame_out_left);
      push_pending();
      const std::size_t n = pending.empty() ? channel.write_some(rest) : 0;
      frame_out_left -= n;
      active->sent += n;
      wire_sent.fetch_add(n, std::memory_order_relaxed);
      if (n == 0) channel.wait_ready(false, true, milliseconds(20));
    }
  } catch (...) {
  }
  if (frame_out_left > 0) finished = true;
}

void Channel::State::last_words(FrameType type, ConstBytes payload,
                                milliseconds patience) noexcept {
  if (finished) return;
  complete_frame();
  finished = true;
  if (frame_out_left > 0 || end_reason) return;
  const auto end = Clock::now() + patience;
  try {
    queue_frame(type, payload.size());
    pending.insert(pending.end(), payload.begin(), payload.end());
    while (true) {
      push_pending();
      if (channel.flush() && pending.empty()) return;
      if (Clock::now() >= end) return;
      channel.wait_ready(false, true, milliseconds(20));
    }
  } catch (...) {
    // The link is gone, and so is who would have read this.
  }
}

}  // namespace petcore::net
