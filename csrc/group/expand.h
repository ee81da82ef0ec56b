// SHA-256 and expand_message_xmd of RFC 9380, section 5.3.1.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "base/buffer.h"

namespace petcore::group {

using Digest = std::array<std::byte, 32>;

// sha256 hashes the parts one after another, as one message.
Digest sha256(std::span<const ConstBytes> parts);

// expand_message fills out (at most 8,160 bytes) with bytes that look uniform, made of the message
// and of the tag (1 to 255 bytes) by SHA-256; other sizes raise Code::usage.
void expand_message(Bytes out, std::span<const ConstBytes> message, std::string_view tag);

inline ConstBytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace petcore::group
