// Tiles of the matrix product: sums that live in registers, included after ring_core.h.
#pragma once

constexpr std::size_t kTileRows = Lane::kTileRows, kTileVectors = Lane::kTileVectors,
                      kTileWords = kTileVectors * kWords;

// Left: word (r, l) of the left operand is at[r * row + l * step].
struct Left {
  const Word* at;
  std::size_t row, step;
};

// Right: a row-major piece of the right operand.
struct Right {
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
inline void tile(V (*result)[kVectors], Left a, Right b, std::size_t depth) {
  typename Lane::Sum sums[kNumRows][kVectors] = {};
  for (std::size_t l = 0; l < depth; ++l) {
    typename Lane::Factor right[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v)
      right[v] = Lane::factor(load(b.at + l * b.stride + v * kWords));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r) {
      const V left = splat(a.at[r * a.row + l * a.step]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) Lane::madd(sums[r][v], right[v], left);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kNumRows; ++r)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) result[r][v] = Lane::total(sums[r][v]);
}

// pair_tile is tile for packed operands (ring_matmul_core.h), with half the multiplications:
// x1 y1 + x2 y2 = (x1 + y2)(x2 + y1) - x1 x2 - y1 y2, and the last two are sums over a row of a or
// a column of b alone, which stand behind the packed words. S. Winograd, "A New Algorithm for Inner
// Product", IEEE Transactions on Computers 1968; exact in any commutative ring.
template <std::size_t kNumRows>
inline void pair_tile(V (*result)[kTileVectors], const Word* a, const Word* b,
                      std::size_t num_pairs) {
  typename Lane::Sum sums[kNumRows][kTileVectors] = {};
#pragma GCC unroll 2
  for (std::size_t p = 0; p < num_pairs; ++p, a += 2 * kTileRows, b += 2 * kTileWords) {
    V y1[kTileVectors], y2[kTileVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kTileVectors; ++v) {
      y1[v] = load(b + v * kWords);
      y2[v] = load(b + kTileWords + v * kWords);
    }
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r) {
      const V x1 = splat(a[r]), x2 = splat(a[kTileRows + r]);
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kTileVectors; ++v)
        Lane::madd(sums[r][v], Lane::factor(x2 + y1[v]), x1 + y2[v]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kNumRows; ++r)
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kTileVectors; ++v)
      result[r][v] = Lane::total(sums[r][v]) - splat(a[r]) - load(b + v * kWords);
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

// dots: result[r] = row r of a times the column at b, `depth` words each; a.step is 1. The last
// vector of a row overlaps the one before; zeros in the column keep words from counting twice.
template <std::size_t kNumRows>
inline void dots(Word* result, Left a, const Word* b, std::size_t depth) {
  typename Lane::Sum sums[kNumRows] = {};
  std::size_t l = 0;
  for (; l + kWords <= depth; l += kWords) {
    const auto right = Lane::factor(load(b + l));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r)
      Lane::madd(sums[r], right, load(a.at + r * a.row + l));
  }
  if (l < depth && depth >= kWords) {
    Word last[kWords] = {};
    for (std::size_t i = l; i < depth; ++i) last[i + kWords - depth] = b[i];
    const auto right = Lane::factor(load(last));
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kNumRows; ++r)
      Lane::madd(sums[r], right, load(a.at + r * a.row + depth - kWords));
    l = depth;
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kNumRows; ++r) {
    result[r] = sum_words(Lane::total(sums[r]));
    for (std::size_t i = l; i < depth; ++i) result[r] += a.at[r * a.row + i] * b[i];
  }
}
