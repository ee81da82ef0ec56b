// Inbox: payload that arrived before its recv, in order. Its owner bounds it by looking at bytes().
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "net/frame.h"

namespace petcore::net {

class Inbox {
 public:
  bool empty() const { return chunks_.empty(); }
  // bytes counts the memory held, a fixed amount for each chunk included, so that a flood of tiny
  // frames is bounded too.
  std::size_t bytes() const { return bytes_; }

  // Writing: open a frame, fill room() and commit what was filled, until the frame is complete.
  // A data frame may be stored in several chunks; a message is one.
  void open(FrameType type, std::uint64_t tag, std::size_t length);
  bool is_open() const { return open_; }
  Bytes room();
  void commit(std::size_t num_bytes);

  // Reading: the first chunk's type and tag, if there is one.
  FrameType type() const { return chunks_.front().type; }
  std::uint64_t tag() const { return chunks_.front().tag; }
  // take moves data bytes of this tag into out and returns how many there were.
  std::size_t take(std::uint64_t tag, Bytes out);
  // take_message returns the message at the front once all of it is there.
  std::optional<std::vector<std::byte>> take_message();
  void clear();

 private:
  struct Chunk {
    FrameType type;
    std::uint64_t tag;
    std::unique_ptr<std::byte[]> memory;
    std::size_t capacity, begin, end;
  };
  void pop();

  std::deque<Chunk> chunks_;
  std::size_t bytes_ = 0;
  bool open_ = false;  // the last chunk waits for more bytes
};

}  // namespace petcore::net
