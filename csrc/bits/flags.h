// Flags: one packed bit for each of many words, and what it does to its word. All words are mod
// 2^64; flags has num_words(n) words for n elements (Code::usage otherwise). An output may be an
// input of its own size.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/buffer.h"

namespace petcore::bits {

// expand: the flag itself, 0 or 1; keep: x where the flag is set and 0 elsewhere.
void expand(Words out, ConstWords flags, std::string_view target = "");
void keep(Words out, ConstWords x, ConstWords flags, std::string_view target = "");
// expand_halves writes n flags as numbers of 32 bits, two to a word; out has (n + 1) / 2 words. Of
// an odd number the last half is the flag in the tail.
void expand_halves(Words out, ConstWords flags, std::string_view target = "");
// reflect: y - x where the flag is set and x elsewhere.
void reflect(Words out, ConstWords x, ConstWords y, ConstWords flags, std::string_view target = "");
// turn_add: (turn ? -x : x) + plus - minus, each of the three a flag.
void turn_add(Words out, ConstWords x, ConstWords turn, ConstWords plus, ConstWords minus,
              std::string_view target = "");
// top_flags collects the top bits of x + offset; the tail is zero.
void top_flags(Words out, ConstWords x, std::uint64_t offset, std::string_view target = "");

// Quotient: a share of x divided by 2^f, 1 <= f <= 62, with `round` added to its low bits:
// (s >> f) + ((s mod 2^f) + round >> f) + (wrap << (64 - f)) - known for s = x + offset.
struct Quotient {
  unsigned f;
  std::uint64_t offset, round, known;
};
void quotient(Words out, ConstWords x, ConstWords wrap, const Quotient& by,
              std::string_view target = "");

}  // namespace petcore::bits
