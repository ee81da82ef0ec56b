// The matrix product that every ring target shares, included after ring_tile_core.h.
//
// Loops as in Goto, van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS
// 2008: a slab of b (kDepth x kColumns) is packed into panels of kTileWords columns, of which the
// one in use stays in the first-level cache; a block of a (kRows x kDepth) is packed into tiles of
// kTileRows rows and stays in the second; a tile of the output lives in registers.
//
// A packed tile or panel has an even depth (zeros below) and one more row: for every row of a or
// column of b the sum of the products of its pairs, which pair_tile takes off. Where kPairs is
// false, because adding costs as much as multiplying, tile() reads the same words.
//
// Few rows or columns do not repay packing: strips() and columns() read a, and where they can b,
// in place.
#pragma once

constexpr std::size_t kDepth = Lane::kDepth, kRows = Lane::kRows, kColumns = Lane::kColumns;
static_assert(kDepth % 2 == 0 && kRows % kTileRows == 0 && kColumns % kTileWords == 0);
// Up to kFewColumns the tile would be mostly padding, so columns are taken one by one.
constexpr std::size_t kFewColumns = kTileWords / 2 > 1 ? kTileWords / 2 : 1;
constexpr std::size_t kNarrow = 16;  // columns below which rows of a are read in place
constexpr std::size_t kDotRows = 4, kRowVectors = 4;

inline std::size_t up_to_multiple(std::size_t x, std::size_t of) { return (x + of - 1) / of * of; }
inline std::size_t packed_depth(std::size_t depth) { return up_to_multiple(depth, 2) + 1; }

// pack_tile copies kNumRows rows, at most kTileRows.
template <std::size_t kNumRows>
inline void pack_tile(Word* to, Left a, std::size_t depth) {
  Word sums[kNumRows] = {};
  std::size_t l = 0;
  for (; l + 2 <= depth; l += 2, to += 2 * kTileRows)
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r) {
      const Word* from = a.at + r * a.row + l * a.step;
      to[r] = from[0];
      to[kTileRows + r] = from[a.step];
      sums[r] += from[0] * from[a.step];
    }
  if (l < depth) {
    for (std::size_t r = 0; r < kNumRows; ++r) {
      to[r] = a.at[r * a.row + l * a.step];
      to[kTileRows + r] = 0;
    }
    to += 2 * kTileRows;
  }
  for (std::size_t r = 0; r < kNumRows; ++r) to[r] = sums[r];
}

template <std::size_t kNumRows = kTileRows>
inline void pack_rows(std::size_t rows, Word* to, Left a, std::size_t depth) {
  if constexpr (kNumRows > 1)
    if (rows < kNumRows) return pack_rows<kNumRows - 1>(rows, to, a, depth);
  pack_tile<kNumRows>(to, a, depth);
}

// pack_row copies `width` words of a row of b, padded with zeros to a whole panel.
inline void pack_row(Word* to, const Word* from, std::size_t width) {
  if (width >= kTileWords) {
    __builtin_memcpy(to, from, sizeof(Word) * kTileWords);
    return;
  }
  for (std::size_t j = 0; j < kTileWords; ++j) to[j] = j < width ? from[j] : 0;
}

inline void end_panel(Word* to, std::size_t depth) {
  const std::size_t even = packed_depth(depth) - 1;
  if (depth < even) __builtin_memset(to + depth * kTileWords, 0, sizeof(Word) * kTileWords);
  typename Lane::Sum sums[kTileVectors] = {};
  for (std::size_t l = 0; l < even; l += 2)
    for (std::size_t v = 0; v < kTileVectors; ++v) {
      const Word* from = to + l * kTileWords + v * kWords;
      Lane::madd(sums[v], Lane::factor(load(from)), load(from + kTileWords));
    }
  for (std::size_t v = 0; v < kTileVectors; ++v)
    store(to + even * kTileWords + v * kWords, Lane::total(sums[v]));
}

// pack_columns packs panels, a few at a time: whole cache lines of a row, while they are there.
inline void pack_columns(Word* to, Right b, std::size_t depth, std::size_t columns) {
  constexpr std::size_t kGroup = 64 / kTileWords * kTileWords;
  const std::size_t packed = packed_depth(depth);
  for (std::size_t j = 0; j < columns; j += kGroup) {
    const std::size_t end = at_most(columns, j + kGroup);
    for (std::size_t l = 0; l < depth; ++l)
      for (std::size_t c = j; c < end; c += kTileWords)
        pack_row(to + c * packed + l * kTileWords, b.at + l * b.stride + c, columns - c);
    for (std::size_t c = j; c < end; c += kTileWords) end_panel(to + c * packed, depth);
  }
}

template <std::size_t kNumRows = kTileRows>
inline void packed_tile(std::size_t rows, V (*result)[kTileVectors], const Word* a, const Word* b,
                        std::size_t depth) {
  if constexpr (kNumRows > 1)
    if (rows < kNumRows) return packed_tile<kNumRows - 1>(rows, result, a, b, depth);
  if constexpr (Lane::kPairs)
    pair_tile<kNumRows>(result, a, b, (depth + 1) / 2);
  else
    tile<kNumRows, kTileVectors>(result, {a, 1, kTileRows}, {b, kTileWords}, depth);
}

template <std::size_t kNumRows = kTileRows>
inline void tile_of(std::size_t rows, V (*result)[kTileVectors], Left a, Right b,
                    std::size_t depth) {
  if constexpr (kNumRows > 1)
    if (rows < kNumRows) return tile_of<kNumRows - 1>(rows, result, a, b, depth);
  tile<kNumRows, kTileVectors>(result, a, b, depth);
}

// block: out (rows x columns) from packed operands.
inline void block(Target out, const Word* a, const Word* b, std::size_t rows, std::size_t depth,
                  std::size_t columns) {
  V result[kTileRows][kTileVectors];
  const std::size_t packed = packed_depth(depth);
  for (std::size_t j = 0; j < columns; j += kTileWords)
    for (std::size_t i = 0; i < rows; i += kTileRows) {
      const std::size_t height = at_most(rows - i, kTileRows);
      packed_tile(height, result, a + i * packed, b + j * packed, depth);
      put<kTileVectors>({out.at + i * out.stride + j, out.stride, out.add}, result, height, 0,
                        columns - j);
    }
}

inline void blocks(const Product& p, Word* scratch) {
  const std::size_t row = p.transposed ? 1 : p.a_stride, step = p.transposed ? p.a_stride : 1;
  Word* const panels = scratch;  // first: vectors are loaded from here, single words from tiles
  Word* const tiles = scratch + at_most(up_to_multiple(p.n, kTileWords), kColumns) *
                                    packed_depth(at_most(p.k, kDepth));
  for (std::size_t l = 0; l < p.k; l += kDepth)
    for (std::size_t j = 0; j < p.n; j += kColumns) {
      const std::size_t depth = at_most(p.k - l, kDepth), columns = at_most(p.n - j, kColumns);
      const std::size_t packed = packed_depth(depth);
      pack_columns(panels, {p.b + l * p.b_stride + j, p.b_stride}, depth, columns);
      for (std::size_t i = 0; i < p.m; i += kRows) {
        const std::size_t rows = at_most(p.m - i, kRows);
        for (std::size_t r = 0; r < rows; r += kTileRows)
          pack_rows(at_most(rows - r, kTileRows), tiles + r * packed,
                    {p.a + (i + r) * row + l * step, row, step}, depth);
        block({p.out + i * p.out_stride + j, p.out_stride, p.accumulate || l > 0}, tiles, panels,
              rows, depth, columns);
      }
    }
}

// wide_row is the part of a product of one row that fills vectors kRowVectors at a time; it gives
// the number of columns done.
inline std::size_t wide_row(Target out, Left a, Right b, std::size_t depth, std::size_t n) {
  constexpr std::size_t kWide = kRowVectors * kWords;
  V result[1][kRowVectors];
  std::size_t j = 0;
  for (; j + kWide <= n; j += kWide) {
    tile<1, kRowVectors>(result, a, {b.at + j, b.stride}, depth);
    put<kRowVectors>({out.at + j, out.stride, out.add}, result, 1, 0, kWide);
  }
  return j;
}

// strips: out (rows x n) from a (rows x depth) in place and b (depth x n). For one tile of rows b
// is read in place too, and a last panel that is not full overlaps the one before.
inline void strips(Target out, Left a, Right b, std::size_t rows, std::size_t depth, std::size_t n,
                   Word* panel) {
  V result[kTileRows][kTileVectors];
  const bool in_place = rows <= kTileRows && n >= kTileWords;
  for (std::size_t j = rows == 1 ? wide_row(out, a, b, depth, n) : 0; j < n; j += kTileWords) {
    const std::size_t width = at_most(n - j, kTileWords);
    const std::size_t start = in_place ? at_most(j, n - kTileWords) : j, skip = j - start;
    Right right = {b.at + start, b.stride};
    if (!in_place) {
      for (std::size_t l = 0; l < depth; ++l)
        pack_row(panel + l * kTileWords, right.at + l * right.stride, width);
      right = {panel, kTileWords};
    }
    for (std::size_t i = 0; i < rows; i += kTileRows) {
      const std::size_t height = at_most(rows - i, kTileRows);
      tile_of(height, result, {a.at + i * a.row, a.row, a.step}, right, depth);
      put<kTileVectors>({out.at + i * out.stride + start, out.stride, out.add}, result, height,
                        skip, skip + width);
    }
  }
}

inline void column(Target out, Left a, const Word* b, std::size_t rows, std::size_t depth) {
  Word result[kDotRows];
  for (std::size_t i = 0; i < rows; i += kDotRows) {
    const std::size_t height = at_most(rows - i, kDotRows);
    const Left left = {a.at + i * a.row, a.row, 1};
    if (height == kDotRows)
      dots<kDotRows>(result, left, b, depth);
    else
      for (std::size_t r = 0; r < height; ++r)
        dots<1>(result + r, {left.at + r * left.row, 0, 1}, b, depth);
    for (std::size_t r = 0; r < height; ++r) {
      Word* to = out.at + (i + r) * out.stride;
      *to = out.add ? *to + result[r] : result[r];
    }
  }
}

// columns is strips for few columns.
inline void columns(Target out, Left a, Right b, std::size_t rows, std::size_t depth, std::size_t n,
                    Word* panel) {
  for (std::size_t j = 0; j < n; ++j) {
    const Word* right = b.at;
    if (b.stride > 1) {
      for (std::size_t l = 0; l < depth; ++l) panel[l] = b.at[l * b.stride + j];
      right = panel;
    }
    column({out.at + j, out.stride, out.add}, a, right, rows, depth);
  }
}

inline bool is_blocked(const Product& p) { return p.m > kTileRows && p.n >= kNarrow; }

std::size_t scratch_words(const Product& p) {
  const bool in_place =
      (p.b_stride == 1 && !p.transposed) || (p.m <= kTileRows && p.n >= kTileWords);
  if (!is_blocked(p)) return in_place ? 0 : kDepth * kTileWords;
  return (at_most(up_to_multiple(p.m, kTileRows), kRows) +
          at_most(up_to_multiple(p.n, kTileWords), kColumns)) *
         packed_depth(at_most(p.k, kDepth));
}

void matmul(const Product& p, Word* scratch) {
  if (is_blocked(p)) return blocks(p, scratch);
  const std::size_t row = p.transposed ? 1 : p.a_stride, step = p.transposed ? p.a_stride : 1;
  const auto part = p.n <= kFewColumns && !p.transposed ? columns : strips;
  for (std::size_t l = 0; l < p.k; l += kDepth)
    for (std::size_t i = 0; i < p.m; i += kRows)
      part({p.out + i * p.out_stride, p.out_stride, p.accumulate || l > 0},
           {p.a + i * row + l * step, row, step}, {p.b + l * p.b_stride, p.b_stride},
           at_most(p.m - i, kRows), at_most(p.k - l, kDepth), p.n, scratch);
}

constexpr Kernels kKernels = {add,   sub,        neg,           mul,
                              scale, shift_left, shift_right,   shift_right_signed,
                              sum,   mul_add2,   scratch_words, matmul};
