// The loops that every bit target shares. Included once, inside a target region, by a file whose
// anonymous namespace defines a type Lane:
//   V, kWords          a vector of words (or one word) and its length
//   pack64(in)         the lowest bits of 64 bytes as a word
//   unpack64(out, w)   its inverse, one byte (0 or 1) per bit
//   tops(v)            the top bits of the words of a vector, the first word's lowest
#pragma once

using V = Lane::V;
constexpr std::size_t kWords = Lane::kWords;

void pack(Word* out, const std::uint8_t* in, std::size_t num_bits) {
  for (; num_bits >= 64; num_bits -= 64, in += 64) *out++ = Lane::pack64(in);
  if (num_bits == 0) return;
  std::uint8_t rest[64] = {};
  __builtin_memcpy(rest, in, num_bits);
  *out = Lane::pack64(rest);
}

void unpack(std::uint8_t* out, const Word* in, std::size_t num_bits) {
  for (; num_bits >= 64; num_bits -= 64, out += 64) Lane::unpack64(out, *in++);
  if (num_bits == 0) return;
  std::uint8_t rest[64];
  Lane::unpack64(rest, *in);
  __builtin_memcpy(out, rest, num_bits);
}

// swap_quarters exchanges the off-diagonal quarters of every square of 2 * half bits. Word i of
// each 64 x 64 block is row i; bit j of it is column j.
template <unsigned kHalf, class U>
inline void swap_quarters(U* x, Word mask) {
  for (unsigned high = 0; high < 64; high += 2 * kHalf)
    for (unsigned i = high; i < high + kHalf; ++i) {
      const U swap = ((x[i] >> kHalf) ^ x[i + kHalf]) & mask;
      x[i + kHalf] ^= swap;
      x[i] ^= swap << kHalf;
    }
}

// turn transposes 64 x 64 bits, one block per word of U (Warren, Hacker's Delight, section 7-3).
template <class U>
inline void turn(U* x) {
  swap_quarters<32>(x, 0x00000000ffffffff);
  swap_quarters<16>(x, 0x0000ffff0000ffff);
  swap_quarters<8>(x, 0x00ff00ff00ff00ff);
  swap_quarters<4>(x, 0x0f0f0f0f0f0f0f0f);
  swap_quarters<2>(x, 0x3333333333333333);
  swap_quarters<1>(x, 0x5555555555555555);
}

// Plane: a bit matrix in memory; `row` and `block` are the steps, in words, from one row to the
// next and from one block to the next that is handled at the same time.
struct Plane {
  std::size_t row, block;
};

// turn_blocks transposes kWords blocks side by side; each has `rows` rows, `columns` columns.
inline void turn_blocks(Word* out, Plane to, const Word* in, Plane from, std::size_t rows,
                        std::size_t columns) {
  V x[64];
  for (std::size_t i = 0; i < rows; ++i) {
    Word words[kWords];
    for (std::size_t b = 0; b < kWords; ++b) words[b] = in[i * from.row + b * from.block];
    __builtin_memcpy(&x[i], words, sizeof(V));
  }
  for (std::size_t i = rows; i < 64; ++i) x[i] = V{};
  turn(x);
  for (std::size_t i = 0; i < columns; ++i) {
    Word words[kWords];
    __builtin_memcpy(words, &x[i], sizeof(V));
    for (std::size_t b = 0; b < kWords; ++b) out[i * to.row + b * to.block] = words[b];
  }
}

// turn_part transposes one block of which only the first rows and columns exist.
inline void turn_part(Word* out, std::size_t out_row, const Word* in, std::size_t in_row,
                      std::size_t rows, std::size_t columns) {
  Word x[64] = {};
  for (std::size_t i = 0; i < rows; ++i) x[i] = in[i * in_row];
  turn(x);
  for (std::size_t i = 0; i < columns; ++i) out[i * out_row] = x[i];
}

inline std::size_t at_most_64(std::size_t x) { return x < 64 ? x : 64; }

void transpose(Word* out, const Word* in, std::size_t rows, std::size_t columns) {
  const std::size_t in_row = (columns + 63) / 64, out_row = (rows + 63) / 64;
  const std::size_t down = rows / 64, across = columns / 64;  // whole blocks
  const bool tall = down >= kWords;  // else blocks of one row of blocks go side by side
  const std::size_t turned_down = tall ? down - down % kWords : out_row;
  const std::size_t turned_across = tall ? in_row : across - across % kWords;
  const Plane from = {in_row, tall ? 64 * in_row : 1}, to = {out_row, tall ? 1 : 64 * out_row};
  for (std::size_t r = 0; r < turned_down; r += tall ? kWords : 1)
    for (std::size_t c = 0; c < turned_across; c += tall ? 1 : kWords)
      turn_blocks(out + 64 * c * out_row + r, to, in + 64 * r * in_row + c, from,
                  at_most_64(rows - 64 * r), at_most_64(columns - 64 * c));
  for (std::size_t r = 0; r < out_row; ++r)
    for (std::size_t c = r < turned_down ? turned_across : 0; c < in_row; ++c)
      turn_part(out + 64 * c * out_row + r, out_row, in + 64 * r * in_row + c, in_row,
                at_most_64(rows - 64 * r), at_most_64(columns - 64 * c));
}

// A narrow element is read and written with its neighbours' bytes, the last ones alone. In place,
// no word is overwritten before it was read.
template <std::size_t kBytes>
inline void narrow_by(std::uint8_t* out, const Word* in, std::size_t size) {
  std::size_t i = 0;
  for (; i + 8 <= size; ++i) {
    const Word x = in[i];  // memcpy itself takes no overlap
    __builtin_memcpy(out + i * kBytes, &x, 8);
  }
  for (; i < size; ++i) {
    const Word x = in[i];
    __builtin_memcpy(out + i * kBytes, &x, kBytes);
  }
}

template <std::size_t kBytes>
inline void widen_sum_by(Word* out, const std::uint8_t* x, const std::uint8_t* y,
                         std::size_t size) {
  std::size_t i = 0;
  for (; i + 8 <= size; ++i) {
    Word a, b;
    __builtin_memcpy(&a, x + i * kBytes, 8);
    __builtin_memcpy(&b, y + i * kBytes, 8);
    out[i] = a + b;
  }
  for (; i < size; ++i) {
    Word a = 0, b = 0;
    __builtin_memcpy(&a, x + i * kBytes, kBytes);
    __builtin_memcpy(&b, y + i * kBytes, kBytes);
    out[i] = a + b;
  }
}

using NarrowBy = void (*)(std::uint8_t*, const Word*, std::size_t);
constexpr NarrowBy kNarrowBy[8] = {narrow_by<1>, narrow_by<2>, narrow_by<3>, narrow_by<4>,
                                   narrow_by<5>, narrow_by<6>, narrow_by<7>, narrow_by<8>};
using WidenSumBy = void (*)(Word*, const std::uint8_t*, const std::uint8_t*, std::size_t);
constexpr WidenSumBy kWidenSumBy[8] = {widen_sum_by<1>, widen_sum_by<2>, widen_sum_by<3>,
                                       widen_sum_by<4>, widen_sum_by<5>, widen_sum_by<6>,
                                       widen_sum_by<7>, widen_sum_by<8>};

void narrow(Word* out, const Word* in, std::size_t size, std::size_t num_bytes) {
  std::uint8_t* const bytes = reinterpret_cast<std::uint8_t*>(out);
  const std::size_t used = size * num_bytes;
  kNarrowBy[num_bytes - 1](bytes, in, size);
  __builtin_memset(bytes + used, 0, (used + 7) / 8 * 8 - used);
}

void widen_sum(Word* out, const Word* x, const Word* y, std::size_t size, std::size_t num_bytes) {
  kWidenSumBy[num_bytes - 1](out, reinterpret_cast<const std::uint8_t*>(x),
                             reinterpret_cast<const std::uint8_t*>(y), size);
}
