#include "net/frame.h"

#include <algorithm>

#include "base/bytes.h"

namespace petcore::net {
namespace {

constexpr std::size_t kCodeBytesMax = 32;
constexpr std::size_t kStepBytesMax = 256;
constexpr std::size_t kTextBytesMax = 1024;

[[noreturn]] void bad(const std::string& what) { throw Error(Code::frame, what); }

void check_length(const FrameHeader& header, std::uint32_t lowest, std::uint32_t highest) {
  if (header.length >= lowest && header.length <= highest) return;
  bad("a frame of type " + std::to_string(static_cast<int>(header.type)) + " claims " +
      std::to_string(header.length) + " bytes; " + std::to_string(lowest) + " to " +
      std::to_string(highest) + " are allowed");
}

}  // namespace

void encode_header(std::byte* out, const FrameHeader& header) {
  store_le<std::uint32_t>(out, header.length);
  store_le<std::uint32_t>(out + 4, static_cast<std::uint32_t>(header.type));
  store_le<std::uint64_t>(out + 8, header.sequence);
  store_le<std::uint64_t>(out + 16, header.tag);
}

FrameHeader decode_header(const std::byte* in, std::uint64_t expected_sequence,
                          std::uint32_t frame_bytes_max, std::uint32_t message_bytes_max) {
  const auto kind = load_le<std::uint32_t>(in + 4);
  if ((kind >> 8) != 0) bad("the padding of a frame header is not zero");
  const FrameHeader header{load_le<std::uint32_t>(in), static_cast<FrameType>(kind),
                           load_le<std::uint64_t>(in + 8), load_le<std::uint64_t>(in + 16)};
  switch (header.type) {
    case FrameType::data:
      check_length(header, 1, frame_bytes_max);
      break;
    case FrameType::message:
      check_length(header, 0, message_bytes_max);
      break;
    case FrameType::abort:
      check_length(header, 0, kNoticeBytesMax);
      break;
    case FrameType::heartbeat:
    case FrameType::goodbye:
      check_length(header, 0, 0);
      break;
    default:
      bad("a frame has the unknown type " + std::to_string(kind));
  }
  if (header.sequence != expected_sequence)
    bad("frame " + std::to_string(header.sequence) + " arrived where frame " +
        std::to_string(expected_sequence) + " was due");
  return header;
}

std::vector<std::byte> encode_notice(const Notice& notice) {
  ByteWriter writer;
  writer.put_string(code_name(notice.code));
  writer.put_string(printable(notice.step, kStepBytesMax));
  writer.put_string(printable(notice.text, kTextBytesMax));
  return writer.bytes();
}

Notice decode_notice(ConstBytes payload) {
  ByteReader reader(payload);
  Notice notice;
  notice.code = code_from_name(reader.get_string(kCodeBytesMax));
  notice.step = printable(reader.get_string(kStepBytesMax), kStepBytesMax);
  notice.text = printable(reader.get_string(kTextBytesMax), kTextBytesMax);
  reader.expect_end();
  return notice;
}

std::string printable(const std::string& text, std::size_t size_max) {
  std::string out = text.substr(0, size_max);
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return out;
}

}  // namespace petcore::net
