#include <algorithm>
#include <cstring>

#include "net/channel_state.h"

namespace petcore::net {
namespace {

constexpr std::size_t kStagingBytes = 64 << 10;
constexpr std::size_t kDirectBytesMin = 16 << 10;  // shorter payloads are read with their headers
constexpr milliseconds kPeerAbortPatience{300};

}  // namespace

bool Channel::State::wants_input() const {
  if (end_reason || notice) return false;
  return sink.filled < sink.out.size() || inbox.bytes() < channel.limits_.inbox_bytes_max;
}

bool Channel::State::take_in() {
  if (!wants_input()) return false;
  std::size_t count = 0;
  try {
    if (staging.empty()) staging.resize(kStagingBytes);
    if (staged_begin == staged_end && frame && frame_left >= kDirectBytesMin) {
      const Bytes room = payload_room();
      count = channel.read_some(room.first(std::min(room.size(), frame_left)));
      if (count > 0) received(count);
    } else {
      count = channel.read_some(std::span(staging).subspan(staged_end));
      staged_end += count;
    }
  } catch (const Error& error) {
    if (error.code() != Code::closed) throw explain(error);
    end_reason = error.what();
    return false;
  }
  if (count == 0) return false;
  wire_received.fetch_add(count, std::memory_order_relaxed);
  last_in = Clock::now();
  try {
    parse();
  } catch (const Error& error) {
    throw explain(error);
  }
  return true;
}

void Channel::State::parse() {
  const Limits& limits = channel.limits_;
  while (staged_begin < staged_end && !notice) {
    std::byte* const from = staging.data() + staged_begin;
    const std::size_t have = staged_end - staged_begin;
    if (frame) {
      const Bytes room = payload_room();
      const std::size_t n = std::min({have, frame_left, room.size()});
      std::memcpy(room.data(), from, n);
      staged_begin += n;
      received(n);
    } else if (have >= kHeaderBytes) {
      const FrameHeader header =
          decode_header(from, sequence_in, limits.frame_bytes_max, limits.message_bytes_max);
      staged_begin += kHeaderBytes;
      begin_frame(header);
    } else {
      std::memmove(staging.data(), from, have);
      staged_begin = 0;
      staged_end = have;
      return;
    }
  }
  staged_begin = staged_end = 0;
}

void Channel::State::begin_frame(const FrameHeader& header) {
  ++sequence_in;
  frames_received.fetch_add(1, std::memory_order_relaxed);
  if (goodbye_received && header.type != FrameType::abort)
    throw Error(Code::frame, "a frame followed the goodbye");
  if (header.type == FrameType::message) inbox.open(FrameType::message, header.tag, header.length);
  frame = header;
  frame_left = header.length;
  notice_bytes.clear();
  if (frame_left == 0) end_frame();
}

Bytes Channel::State::payload_room() {
  if (frame->type == FrameType::abort) {
    notice_bytes.resize(frame->length);
    return Bytes(notice_bytes).last(frame_left);
  }
  const bool direct = frame->type == FrameType::data && inbox.empty() && frame->tag == sink.tag &&
                      sink.filled < sink.out.size();
  if (direct) return sink.out.subspan(sink.filled);
  if (!inbox.is_open()) inbox.open(FrameType::data, frame->tag, frame_left);
  return inbox.room();
}

void Channel::State::received(std::size_t num_bytes) {
  if (frame->type != FrameType::abort) {
    if (inbox.is_open())
      inbox.commit(num_bytes);
    else
      sink.filled += num_bytes;
    progress = Clock::now();
  }
  frame_left -= num_bytes;
  if (frame_left == 0) end_frame();
}

void Channel::State::end_frame() {
  const FrameType type = frame->type;
  frame.reset();
  if (type == FrameType::goodbye) goodbye_received = true;
  if (type == FrameType::abort) notice = decode_notice(notice_bytes);
}

void Channel::State::check_tag(FrameType type) {
  const bool first_is_frame = inbox.empty() && frame && frame->type != FrameType::abort;
  if (inbox.empty() && !first_is_frame) return;
  const std::uint64_t tag = first_is_frame ? frame->tag : inbox.tag();
  const FrameType found = first_is_frame ? frame->type : inbox.type();
  if (tag != step.tag || found != type) disagree();
}

void Channel::State::disagree() {
  const Notice mine{Code::step, step.what, "the parties are at different steps"};
  last_words(FrameType::abort, encode_notice(mine), milliseconds(200));
  std::string their_step = "another step";
  const auto end = Clock::now() + kPeerAbortPatience;
  sink = {};
  try {
    while (Clock::now() < end && !end_reason && !notice) {
      inbox.clear();
      if (!take_in()) channel.wait_ready(true, false, milliseconds(20));
    }
  } catch (const Error&) {
    // What a party at another step sends need not make sense here.
  }
  if (notice && notice->code != Code::step) throw notice_error(*notice);
  if (notice) their_step = notice->step;
  throw mismatch_error(their_step);
}

void Channel::State::check_open() const {
  if (notice) throw notice_error(*notice);
  if (goodbye_received) throw goodbye_error();
  if (end_reason) throw closed_error(*end_reason);
}

}  // namespace petcore::net
