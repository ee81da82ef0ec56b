// Packed bits. Bit i of a vector lies in word i / 64 at position i % 64. Tail bits are zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/buffer.h"

namespace petcore::bits {

constexpr std::size_t num_words(std::size_t num_bits) { return (num_bits + 63) / 64; }

// pack takes the lowest bit of each byte; out has num_words(in.size()) words.
void pack(Words out, std::span<const std::uint8_t> in, std::string_view target = "");
// unpack writes one byte (0 or 1) per bit, out.size() of them.
void unpack(std::span<std::uint8_t> out, ConstWords in, std::string_view target = "");

// to_slices turns the lowest `width` bits of n words into slices: slice s is the packed vector of
// bit s of every word and lies at out[s * num_words(n)]. out has width * num_words(n) words.
void to_slices(Words out, ConstWords in, unsigned width = 64, std::string_view target = "");
// from_slices is its inverse; out.size() is n, and the bits from `width` on are zero.
void from_slices(Words out, ConstWords slices, unsigned width = 64, std::string_view target = "");

// narrow keeps the lowest num_bytes bytes of every word, side by side; the tail is zero. out may
// be the head of in.
constexpr std::size_t narrow_words(std::size_t n, unsigned num_bytes) {
  return (n * num_bytes + 7) / 8;
}
void narrow(Words out, ConstWords in, unsigned num_bytes, std::string_view target = "");
// widen_sum adds two narrow vectors; of each sum only the lowest 8 * num_bytes bits mean anything.
void widen_sum(Words out, ConstWords x, ConstWords y, unsigned num_bytes,
               std::string_view target = "");

// transpose writes the (columns x rows) transpose of a packed (rows x columns) bit matrix, every
// row padded to whole words.
void transpose(Words out, ConstWords in, std::size_t rows, std::size_t columns,
               std::string_view target = "");

std::vector<std::string_view> targets();
std::string_view chosen_target();  // where the caller forces none

}  // namespace petcore::bits
