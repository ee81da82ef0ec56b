// What a protocol asks of the offline phase: the kinds of correlation and how each is laid out.
//
// Every kind has *masks*, random words each party can expand alone from its seed, and *products*,
// words that depend on both parties' masks. The dealer sends the products to one party only; the
// other expands them from its seed as well. A batch is handed out in chunks of `chunk` units.
//
//   kind              unit        masks              products (per unit, bytes to one party)
//   multiplication    element     a, b               ab                              8
//   square            element     a                  a^2                             8
//   and_gate          64 bits     a, b               a & b                           8
//   and_pair          64 bits     a, b, b'           a & b, a & b'                   16
//   dabit             element     bit (packed)       the bit in Z_2^64               8
//   bit_product       element     bit (packed), a    the bit, bit * a                16
//   edabit            element     r                  its low bits as slices, and   (leaves * 7/3
//                                                    their products in groups       + singles) / 8
//   cross_bit         element     own bit (packed)   bit0 bit1 in Z_2^width          width / 8
//   tree_layer        64 bits     a, b, q per node   their products (bits/gates.h)   8 per slice
//   cross_wide        element     own number         a0 a1 mod 2^128 - 1             16
//   cross_scaled      element     own a, b           a0 b1 + a1 b0 mod 2^64 - 1      8
//   bit_bytes         element     `rows` bits        the bits, each in Z_2^8         rows
//   digits            element     r                  a digit table (tables.h)        rows / 8
//   waves             element     r                  cosines and sines (tables.h),   (2 count width
//                                                    a digit table                   + rows) / 8
//   half_select       element     bit, a, [bit']     bit, bit a, [bit'] in Z_2^32    8, [12]
//   lookup            64 pairs    own table, index   entries found (lookups.h)       16 width
//   matrix            product     A (m,k), B (k,n)   AB                              8mn
//   mask              element     A                  -                               0
//   masked_matrix     product     B                  AB, A of an earlier mask        8mn
//   comparison_key    element     r, root of a key   number, corrections (keys.h)    8 + 16 max(1,
//                                                    the same to both parties     width - 6 [or 7])
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "base/bytes.h"

namespace petcore::correlation {

enum class Kind : std::uint32_t {
  multiplication = 1,
  square,
  and_gate,
  and_pair,
  dabit,
  bit_product,
  edabit,
  cross_bit,
  tree_layer,
  matrix,
  mask,
  masked_matrix,
  cross_wide,
  digits,
  waves,
  half_select,
  cross_scaled,
  bit_bytes,
  comparison_key,
  lookup,
};
constexpr std::uint32_t kLastKind = static_cast<std::uint32_t>(Kind::lookup);

const char* kind_name(Kind kind);
// kind_from_name raises Code::usage for an unknown word, listing those there are.
Kind kind_from_name(std::string_view name);

// kChunk elements are computed, sent and received at a time: two words each fill half a megabyte.
constexpr std::uint64_t kChunk = 1 << 15;
constexpr std::uint64_t kUnitsMax = std::uint64_t{1} << 32;
// No matrix of a product is larger: the dealer holds both of them, and their product, at once.
constexpr std::uint64_t kMatrixWordsMax = std::uint64_t{1} << 27;
// matrix_words is rows x columns; an empty or too large matrix raises Error(code).
std::uint64_t matrix_words(std::uint64_t rows, std::uint64_t columns, Code code);

struct Request {
  Kind kind;
  std::uint64_t units = 0;
  std::uint64_t chunk = kChunk;
  // edabit: {leaves, bits per group, singles}; tree_layer: {pairs, fan-in, parts, trees};
  // cross_bit: {32 or 64}; matrix: {m, k, n}; mask: {rows,
  // columns}; masked_matrix: {mask counter, rows, columns, first row, last row + 1, transposed, n};
  // comparison_key: {width, form}.
  std::array<std::uint64_t, 7> dims{};
  std::uint64_t counter = 0;  // set by the source that plans it; never the same twice in a session

  std::uint64_t num_chunks() const { return (units + chunk - 1) / chunk; }
  std::uint64_t units_in_chunk(std::uint64_t index) const {
    const std::uint64_t begin = index * chunk;
    return units - begin < chunk ? units - begin : chunk;
  }

  void write(ByteWriter& out) const;
  // read checks every bound, so that a party's request cannot make the dealer allocate or loop
  // without limit, and that no chunk begins inside a PRG block; raises Code::frame.
  static Request read(ByteReader& in);
};

// check_sizes raises Code::usage where the kind has no such sizes.
void check_sizes(const Request& request);

Request matrix_request(std::uint64_t m, std::uint64_t k, std::uint64_t n);
Request masked_matrix_request(const Request& mask, std::uint64_t row_begin, std::uint64_t row_end,
                              bool transposed, std::uint64_t n);

// MatrixShape is the product that a matrix or masked_matrix request stands for.
struct MatrixShape {
  std::uint64_t m, k, n;
};
MatrixShape matrix_shape(const Request& request);

// half_words is how many words n numbers of 32 bits take, two to a word.
constexpr std::uint64_t half_words(std::uint64_t n) { return (n + 1) / 2; }

// Rows: how a stream of units lies in memory, so that it can be cut between any two of them:
// `count` rows, one after the other, of `bits` per unit. Every row is padded to whole words, or,
// where `joined`, the last one only; the bits of a joined row are whole bytes.
struct Rows {
  std::uint64_t count, bits;
  bool joined = false;

  std::uint64_t words(std::uint64_t units) const {
    return joined ? (count * bits * units + 63) / 64 : count * ((bits * units + 63) / 64);
  }
};

// Shape: the rows of each mask stream and of each product stream of a request.
struct Shape {
  std::array<Rows, 3> masks{}, products{};
  std::size_t num_masks = 0, num_products = 0;
};
Shape shape(const Request& request);

// Layout of one chunk: words per mask stream and per product stream, as their shape says.
struct Layout {
  std::array<std::uint64_t, 3> masks{};
  std::array<std::uint64_t, 3> products{};
  std::size_t num_masks = 0, num_products = 0;
};
Layout layout(const Request& request, std::uint64_t units);

// product_words is the total of all product streams of a request: what the dealer sends.
std::uint64_t product_words(const Request& request);

}  // namespace petcore::correlation
