#include "net/inbox.h"

#include <algorithm>
#include <cstring>

namespace petcore::net {
namespace {

constexpr std::size_t kChunkBytesMax = 64 << 10;
constexpr std::size_t kChunkOverhead = 128;

}  // namespace

void Inbox::open(FrameType type, std::uint64_t tag, std::size_t length) {
  const std::size_t capacity = type == FrameType::data ? std::min(length, kChunkBytesMax) : length;
  chunks_.push_back(
      {type, tag, std::make_unique_for_overwrite<std::byte[]>(capacity), capacity, 0, 0});
  bytes_ += capacity + kChunkOverhead;
  open_ = capacity > 0;
}

Bytes Inbox::room() {
  Chunk& last = chunks_.back();
  return {last.memory.get() + last.end, last.capacity - last.end};
}

void Inbox::commit(std::size_t num_bytes) {
  Chunk& last = chunks_.back();
  last.end += num_bytes;
  if (last.end == last.capacity) open_ = false;
}

std::size_t Inbox::take(std::uint64_t tag, Bytes out) {
  std::size_t taken = 0;
  while (taken < out.size() && !chunks_.empty()) {
    Chunk& first = chunks_.front();
    if (first.type != FrameType::data || first.tag != tag) break;
    const std::size_t n = std::min(first.end - first.begin, out.size() - taken);
    std::memcpy(out.data() + taken, first.memory.get() + first.begin, n);
    first.begin += n;
    taken += n;
    if (first.begin < first.end) break;
    pop();
  }
  return taken;
}

std::optional<std::vector<std::byte>> Inbox::take_message() {
  const Chunk& first = chunks_.front();
  if (first.end < first.capacity) return std::nullopt;
  std::vector<std::byte> message(first.memory.get(), first.memory.get() + first.end);
  pop();
  return message;
}

void Inbox::clear() {
  chunks_.clear();
  bytes_ = 0;
  open_ = false;
}

void Inbox::pop() {
  bytes_ -= chunks_.front().capacity + kChunkOverhead;
  chunks_.pop_front();
  if (chunks_.empty()) open_ = false;
}

}  // namespace petcore::net
