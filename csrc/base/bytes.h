// Fixed-width little-endian integers on the wire, whatever the host.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "base/error.h"

namespace petcore {

static_assert(std::endian::native == std::endian::little,
              "petcore sends words as they lie in memory; a big-endian port must swap them");

template <class T>
T load_le(const std::byte* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
void store_le(std::byte* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

// ByteWriter appends integers and length-prefixed strings to a message.
class ByteWriter {
 public:
  template <class T>
  void put(T value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof(T));
    store_le(bytes_.data() + at, value);
  }
  void put_string(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    put_raw(std::as_bytes(std::span(text.data(), text.size())));
  }
  void put_raw(ConstBytes raw) { bytes_.insert(bytes_.end(), raw.begin(), raw.end()); }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

// ByteReader reads them back; a message that ends early raises Code::frame.
class ByteReader {
 public:
  explicit ByteReader(ConstBytes bytes) : rest_(bytes) {}
  template <class T>
  T get() {
    return load_le<T>(take(sizeof(T)).data());
  }
  std::string get_string(std::size_t size_max) {
    const auto size = get<std::uint32_t>();
    check(size <= size_max, Code::frame, "a text in a message is longer than allowed");
    const ConstBytes raw = take(size);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  ConstBytes take(std::size_t size) {
    check(size <= rest_.size(), Code::frame, "a message ends before its fields do");
    const ConstBytes head = rest_.first(size);
    rest_ = rest_.subspan(size);
    return head;
  }
  ConstBytes rest() const { return rest_; }
  void expect_end() const { check(rest_.empty(), Code::frame, "a message has bytes to spare"); }

 private:
  ConstBytes rest_;
};

}  // namespace petcore
