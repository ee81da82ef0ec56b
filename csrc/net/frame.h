// Frame: u32 payload length, u8 type, 3 zero bytes, u64 sequence, u64 step tag; little-endian.
// Every frame of one direction takes the next sequence number, beginning with 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"

namespace petcore::net {

inline constexpr std::size_t kHeaderBytes = 24;
inline constexpr std::uint32_t kNoticeBytesMax = 2048;

enum class FrameType : std::uint8_t {
  data = 1,       // part of a vector; 1 byte at least
  message = 2,    // a whole message
  heartbeat = 3,  // empty: the sender lives
  abort = 4,      // a Notice: the sender gave up
  goodbye = 5,    // empty: the sender's program ended; only an abort may follow
};

struct FrameHeader {
  std::uint32_t length = 0;
  FrameType type = FrameType::data;
  std::uint64_t sequence = 0;
  std::uint64_t tag = 0;
};

void encode_header(std::byte* out, const FrameHeader& header);
// decode_header raises Code::frame, saying what is wrong, unless the header is a known type with
// zero padding, the expected sequence and a length its type allows.
FrameHeader decode_header(const std::byte* in, std::uint64_t expected_sequence,
                          std::uint32_t frame_bytes_max, std::uint32_t message_bytes_max);

// Notice is the payload of an abort.
struct Notice {
  Code code = Code::internal;
  std::string step;  // what its sender was doing
  std::string text;
};

std::vector<std::byte> encode_notice(const Notice& notice);
Notice decode_notice(ConstBytes payload);

// printable keeps at most size_max bytes and replaces what could confuse a terminal or a log.
std::string printable(const std::string& text, std::size_t size_max);

}  // namespace petcore::net
