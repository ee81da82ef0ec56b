// The matrix product that every ring target shares, included after ring_core.h.
//
// Loops as in Goto, van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS
// 2008: a panel of b (kDepth x kTileWords) is packed and stays in the first-level cache, a block of
// a (kRows x kDepth) stays in the second, and a tile of the output lives in registers. Rows of a
// are read in place: a tile reads each of them along the row.
#pragma once

constexpr std::size_t kTileRows = Lane::kTileRows, kTileVectors = Lane::kTileVectors,
                      kDepth = Lane::kDepth, kTileWords = kTileVectors * kWords;
// Up to this width the tile would be mostly padding, so columns are taken one by one.
constexpr std::size_t kFewColumns = kTileWords / 2 > 1 ? kTileWords / 2 : 1;
constexpr std::size_t kDotRows = 4, kRowVectors = 4;

// Operand: a row-major piece of a matrix.
struct Operand {
  const Word* at;
  std::size_t stride;
};

struct Target {
  Word* at;
  std::size_t stride;
  bool add;  // else overwrite
};

inline std::size_t at_most(std::size_t x, std::size_t limit) { return x < limit ? x : limit; }

// tile: result (rows x kVectors * kWords) = a (rows x depth) times b (depth x kVectors * kWords).
template <std::size_t kNumRows, std::size_t kVectors>
inline void tile(V (*result)[kVectors], Operand a, Operand b, std::size_t depth) {
  typename Lane::Sum sums[kNumRows][kVectors] = {};
  for (std::size_t l = 0; l < depth; ++l) {
    typename Lane::Factor right[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v)
      right[v] = Lane::factor(load(b.at + l * b.stride + v * kWords));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r) {
      const V left = splat(a.at[r * a.stride + l]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) Lane::madd(sums[r][v], right[v], left);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kNumRows; ++r)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) result[r][v] = Lane::total(sums[r][v]);
}

template <std::size_t kNumRows = kTileRows>
inline void tile_of(std::size_t rows, V (*result)[kTileVectors], Operand a, Operand b,
                    std::size_t depth) {
  if constexpr (kNumRows > 1)
    if (rows < kNumRows) return tile_of<kNumRows - 1>(rows, result, a, b, depth);
  tile<kNumRows, kTileVectors>(result, a, b, depth);
}

// put writes the words `from` to `end` of each row of a tile.
template <std::size_t kVectors>
inline void put(Target out, const V (*result)[kVectors], std::size_t rows, std::size_t from,
                std::size_t end) {
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t v = 0; v < kVectors; ++v) {
      const std::size_t first = v * kWords;
      Word* to = out.at + r * out.stride + first;
      if (from <= first && first + kWords <= end) {
        store(to, out.add ? load(to) + result[r][v] : result[r][v]);
        continue;
      }
      Word words[kWords];
      store(words, result[r][v]);
      for (std::size_t i = 0; i < kWords; ++i)
        if (from <= first + i && first + i < end) to[i] = out.add ? to[i] + words[i] : words[i];
    }
}

// pack copies `width` columns of b, padded with zeros to a whole panel.
inline Operand pack(Word* panel, Operand b, std::size_t depth, std::size_t width) {
  for (std::size_t l = 0; l < depth; ++l) {
    const Word* from = b.at + l * b.stride;
    Word* to = panel + l * kTileWords;
    for (std::size_t j = 0; j < width; ++j) to[j] = from[j];
    for (std::size_t j = width; j < kTileWords; ++j) to[j] = 0;
  }
  return {panel, kTileWords};
}

// wide_row is the part of a product of one row that fills vectors kRowVectors at a time; it gives
// the number of columns done.
inline std::size_t wide_row(Target out, Operand a, Operand b, std::size_t depth, std::size_t n) {
  constexpr std::size_t kWide = kRowVectors * kWords;
  V result[1][kRowVectors];
  std::size_t j = 0;
  for (; j + kWide <= n; j += kWide) {
    tile<1, kRowVectors>(result, a, {b.at + j, b.stride}, depth);
    put<kRowVectors>({out.at + j, out.stride, out.add}, result, 1, 0, kWide);
  }
  return j;
}

// block: out (rows x n) from a (rows x depth) and b (depth x n). Few rows do not repay packing: b
// is read in place, and a last panel that is not full overlaps the one before.
inline void block(Target out, Operand a, Operand b, std::size_t rows, std::size_t depth,
                  std::size_t n, Word* panel) {
  V result[kTileRows][kTileVectors];
  const bool in_place = rows <= kTileRows && n >= kTileWords;
  for (std::size_t j = rows == 1 ? wide_row(out, a, b, depth, n) : 0; j < n; j += kTileWords) {
    const std::size_t width = at_most(n - j, kTileWords);
    const std::size_t start = in_place ? at_most(j, n - kTileWords) : j, skip = j - start;
    Operand right = {b.at + start, b.stride};
    if (!in_place) right = pack(panel, right, depth, width);
    for (std::size_t i = 0; i < rows; i += kTileRows) {
      const std::size_t height = at_most(rows - i, kTileRows);
      tile_of(height, result, {a.at + i * a.stride, a.stride}, right, depth);
      put<kTileVectors>({out.at + i * out.stride + start, out.stride, out.add}, result, height,
                        skip, skip + width);
    }
  }
}

// dots: result[r] = row r of a times the column at b, `depth` words each. The last vector of a row
// overlaps the one before; zeros in the column keep words from counting twice.
template <std::size_t kNumRows>
inline void dots(Word* result, Operand a, const Word* b, std::size_t depth) {
  typename Lane::Sum sums[kNumRows] = {};
  std::size_t l = 0;
  for (; l + kWords <= depth; l += kWords) {
    const auto right = Lane::factor(load(b + l));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r)
      Lane::madd(sums[r], right, load(a.at + r * a.stride + l));
  }
  if (l < depth && depth >= kWords) {
    Word last[kWords] = {};
    for (std::size_t i = l; i < depth; ++i) last[i + kWords - depth] = b[i];
    const auto right = Lane::factor(load(last));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r)
      Lane::madd(sums[r], right, load(a.at + r * a.stride + depth - kWords));
    l = depth;
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kNumRows; ++r) {
    result[r] = sum_words(Lane::total(sums[r]));
    for (std::size_t i = l; i < depth; ++i) result[r] += a.at[r * a.stride + i] * b[i];
  }
}

inline void column(Target out, Operand a, const Word* b, std::size_t rows, std::size_t depth) {
  Word result[kDotRows];
  for (std::size_t i = 0; i < rows; i += kDotRows) {
    const std::size_t height = at_most(rows - i, kDotRows);
    const Operand left = {a.at + i * a.stride, a.stride};
    if (height == kDotRows)
      dots<kDotRows>(result, left, b, depth);
    else
      for (std::size_t r = 0; r < height; ++r)
        dots<1>(result + r, {left.at + r * left.stride, 0}, b, depth);
    for (std::size_t r = 0; r < height; ++r) {
      Word* to = out.at + (i + r) * out.stride;
      *to = out.add ? *to + result[r] : result[r];
    }
  }
}

// columns is block for few columns.
inline void columns(Target out, Operand a, Operand b, std::size_t rows, std::size_t depth,
                    std::size_t n, Word* panel) {
  for (std::size_t j = 0; j < n; ++j) {
    const Word* right = b.at;
    if (n > 1) {
      for (std::size_t l = 0; l < depth; ++l) panel[l] = b.at[l * b.stride + j];
      right = panel;
    }
    column({out.at + j, out.stride, out.add}, a, right, rows, depth);
  }
}

constexpr std::size_t kScratchWords = kDepth * kTileWords;

void matmul(const Product& p, Word* scratch) {
  const auto part = p.n <= kFewColumns ? columns : block;
  for (std::size_t l = 0; l < p.k; l += kDepth)
    for (std::size_t i = 0; i < p.m; i += Lane::kRows)
      part({p.out + i * p.n, p.n, p.accumulate || l > 0}, {p.a + i * p.k + l, p.k},
           {p.b + l * p.n, p.n}, at_most(p.m - i, Lane::kRows), at_most(p.k - l, kDepth), p.n,
           scratch);
}

constexpr Kernels kKernels = {add,   sub,        neg,           mul,
                              scale, shift_left, shift_right,   shift_right_signed,
                              sum,   mul_add2,   kScratchWords, matmul};
