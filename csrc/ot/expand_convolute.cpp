#include "ot/expand_convolute.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "prg/prg.h"

namespace petcore::ot {
namespace {

// Digits of pi after the first 16 bytes of hash/crh.cpp: keys that nobody chose.
constexpr std::array<std::uint64_t, 6> kDigits = {0x082efa98ec4e6c89, 0xa4093822299f31d0,
                                                  0x452821e638d01377, 0xbe5466cf34e90c6c,
                                                  0xc0ac29b7c97c50dd, 0x3f84d5b5b5470917};

enum class Part : std::uint8_t { forwards, backwards, positions };

// stream_of is the public keystream of one part of the code of size k.
prg::Prg stream_of(Part part, std::size_t k) {
  const auto at = 2 * static_cast<std::size_t>(part);
  prg::Seed seed;
  store_le(seed.data(), kDigits[at] ^ k);
  store_le(seed.data() + 8, kDigits[at + 1]);
  return prg::Prg(seed);
}

// Coefficients of a convolution are drawn by groups of four blocks. Those of block i = 4g + r are
// one 32-bit word: nibble d, bit b belongs to y_{4(g-6+d)+b}. Of nibble 0 the bits above r count
// and bit r is 1, of nibble 6 the bits below r; they are the 24 blocks before i.
constexpr std::size_t kGroup = 4, kWindow = kTaps / kGroup;

constexpr std::uint32_t counted(std::uint32_t word, unsigned r) {
  const std::uint32_t all = ((0xfU << (r + 1)) & 0xf) | 0xfffff0U | (((1U << r) - 1) << kTaps);
  return (word & all) | (1U << r);
}

// A batch of coefficients that stays in the first cache.
constexpr std::size_t kBatchGroups = 512;
struct Coefficients {
  std::array<std::uint64_t, kBatchGroups * kGroup / 2> words;

  void draw(const prg::Prg& stream, std::size_t first_group) {
    stream.fill_words(words, first_group * kGroup / 2);
  }
  std::uint32_t at(std::size_t i) const {
    return static_cast<std::uint32_t>(words[i / 2] >> (32 * (i % 2)));
  }
};

Block operator+(Block x, Block y) { return x ^ y; }
Pair operator+(const Pair& x, const Pair& y) { return {x.a ^ y.a, x.c ^ y.c}; }

// Window holds the sums of all subsets of each of the last six groups (the method of the four
// Russians): a sum over 24 taps is six look-ups at public places.
template <class T>
class Window {
 public:
  Window() { std::fill(&sums_[0][0], &sums_[0][0] + kSlots * 16, T{}); }
  ~Window() { wipe(sums_, sizeof(sums_)); }

  // next takes the four blocks of group g to their values, in the order of the convolution.
  void next(std::size_t g, std::array<T*, kGroup> x, const std::uint32_t* words) {
    T* here = sums_[g % kSlots];
    for (unsigned r = 0; r < kGroup; ++r) {
      const std::uint32_t word = counted(words[r], r);
      T sum = *x[r] + sums_[(g + 2) % kSlots][word & 15];
      for (unsigned d = 1; d < kWindow; ++d)
        sum = sum + sums_[(g + 2 + d) % kSlots][(word >> (4 * d)) & 15];
      sum = sum + here[(word >> kTaps) & 15];
      *x[r] = sum;
      const unsigned half = 1U << r;
      for (unsigned subset = 0; subset < half; ++subset) here[half + subset] = here[subset] + sum;
    }
  }

 private:
  static constexpr std::size_t kSlots = 8;  // group g - 6 lies at g + 2 modulo 8
  T sums_[kSlots][16];
};

template <class T, bool kBackwards>
void convolve(std::span<T> x, const prg::Prg& stream) {
  const std::size_t n = x.size(), groups = (n + kGroup - 1) / kGroup;
  Window<T> window;
  Coefficients batch;
  std::array<T, kGroup> spare{};
  for (std::size_t g = 0; g < groups; ++g) {
    if (g % kBatchGroups == 0) batch.draw(stream, g);
    std::array<T*, kGroup> at;
    std::array<std::uint32_t, kGroup> words;
    for (std::size_t r = 0; r < kGroup; ++r) {
      const std::size_t i = kGroup * g + r;
      at[r] = i >= n ? &spare[r] : &x[kBackwards ? n - 1 - i : i];
      words[r] = batch.at(i % (kBatchGroups * kGroup));
    }
    window.next(g, at, words.data());
  }
}

std::uint64_t parity(std::uint32_t x) {
  x ^= x >> 16, x ^= x >> 8, x ^= x >> 4, x ^= x >> 2;
  return (x ^ (x >> 1)) & 1;
}

template <bool kBackwards>
void convolve_bits(Words x, std::size_t n, const prg::Prg& stream) {
  Coefficients batch;
  std::uint64_t window = 0;  // the 24 bits before group g, then those of the group so far
  for (std::size_t i = 0; i < n; ++i) {
    if (i % (kBatchGroups * kGroup) == 0) batch.draw(stream, i / kGroup);
    const unsigned r = i % kGroup;
    const std::size_t at = kBackwards ? n - 1 - i : i;
    const std::uint32_t word = counted(batch.at(i % (kBatchGroups * kGroup)), r);
    x[at / 64] ^= parity(static_cast<std::uint32_t>(window) & word) << (at % 64);
    window |= ((x[at / 64] >> (at % 64)) & 1) << (kTaps + r);
    if (r + 1 == kGroup) window >>= kGroup;
  }
}

// Rows whose positions are drawn at a time: a multiple of four, so that they take whole blocks of
// keystream.
constexpr std::size_t kRows = 64;

class Positions {
 public:
  explicit Positions(std::size_t k)
      : stream_(stream_of(Part::positions, k)), width_(k / kExpanderWeight) {
    last_ = k - (kExpanderWeight - 1) * width_;
  }
  // draw makes the positions of kRows rows, row by row.
  void draw(std::uint32_t* out, std::size_t first_row) {
    constexpr std::size_t kWords = kRows * kExpanderWeight / 2;
    std::array<std::uint64_t, kWords> words;
    stream_.fill_words(words, first_row * kExpanderWeight / 2);
    std::array<std::uint32_t, 2 * kWords> random;
    std::memcpy(random.data(), words.data(), sizeof(words));
    for (std::size_t j = 0; j < kExpanderWeight; ++j) {
      const std::uint64_t width = j + 1 < kExpanderWeight ? width_ : last_, base = j * width_;
      for (std::size_t r = 0; r < kRows; ++r) {
        const std::size_t i = r * kExpanderWeight + j;
        out[i] = static_cast<std::uint32_t>(base + ((random[i] * width) >> 32));
      }
    }
  }

 private:
  prg::Prg stream_;
  std::uint64_t width_, last_;
};

// for_rows calls row(j, its positions) for the first n outputs, and fetch(position) a while before.
template <class Fetch, class Row>
void for_rows(std::size_t k, std::size_t n, Pool& pool, const Fetch& fetch, const Row& row) {
  constexpr std::size_t kBatch = kRows * kExpanderWeight;
  const std::size_t batches = (n + kRows - 1) / kRows;
  pool.parallel_for(batches, 64, [&](std::size_t begin, std::size_t end) {
    Positions positions(k);
    std::array<std::uint32_t, 2 * kBatch> drawn;
    const auto draw = [&](std::size_t b) {
      std::uint32_t* const to = drawn.data() + b % 2 * kBatch;
      positions.draw(to, b * kRows);
      for (std::size_t i = 0; i < kBatch; ++i) fetch(to[i]);
    };
    draw(begin);
    for (std::size_t b = begin; b < end; ++b) {
      if (b + 1 < end) draw(b + 1);
      const std::uint32_t* const from = drawn.data() + b % 2 * kBatch;
      const std::size_t size = std::min(n - b * kRows, kRows);
      for (std::size_t r = 0; r < size; ++r) row(b * kRows + r, from + r * kExpanderWeight);
    }
  });
}

void check_size(std::size_t k) {
  check(k >= 64 && k % 2 == 0 && k >> 32 == 0, Code::usage,
        "compress: a vector has the wrong size");
}

template <class T>
void convolve_both(std::span<T> tail) {
  const std::size_t k = tail.size();
  convolve<T, false>(tail, stream_of(Part::forwards, k));
  convolve<T, true>(tail, stream_of(Part::backwards, k));
}

template <class T>
T row_sum(const T* y, const std::uint32_t* at) {
  T sum = y[at[0]];
  for (std::size_t s = 1; s < kExpanderWeight; ++s) sum = sum + y[at[s]];
  return sum;
}

}  // namespace

void compress(std::span<Block> head, std::span<Block> tail, Pool& pool) {
  check_size(tail.size());
  check(head.size() <= tail.size(), Code::usage, "compress: a vector has the wrong size");
  convolve_both(tail);
  Block* const out = head.data();
  const Block* const y = tail.data();
  for_rows(
      tail.size(), head.size(), pool, [y](std::size_t at) { __builtin_prefetch(y + at); },
      [y, out](std::size_t j, const std::uint32_t* at) { out[j] ^= row_sum(y, at); });
}

void compress(std::span<Block> head_a, std::span<Block> head_c, std::span<Pair> tail, Pool& pool) {
  check_size(tail.size());
  check(head_a.size() <= tail.size() && head_c.size() == head_a.size(), Code::usage,
        "compress: a vector has the wrong size");
  convolve_both(tail);
  Block *const a = head_a.data(), *const c = head_c.data();
  const Pair* const y = tail.data();
  for_rows(
      tail.size(), head_a.size(), pool, [y](std::size_t at) { __builtin_prefetch(y + at); },
      [y, a, c](std::size_t j, const std::uint32_t* at) {
        const Pair sum = row_sum(y, at);
        a[j] ^= sum.a;
        c[j] ^= sum.c;
      });
}

void compress_bits(Words head, Words tail, std::size_t k, Pool& pool) {
  check_size(k);
  check(head.size() == (k + 63) / 64 && tail.size() == head.size(), Code::usage,
        "compress: a vector has the wrong size");
  convolve_bits<false>(tail, k, stream_of(Part::forwards, k));
  convolve_bits<true>(tail, k, stream_of(Part::backwards, k));
  static_assert(kRows == 64, "threads write whole words");
  for_rows(
      k, k, pool, [](std::size_t) {},
      [&](std::size_t j, const std::uint32_t* at) {
        std::uint64_t sum = 0;
        for (std::size_t s = 0; s < kExpanderWeight; ++s) sum ^= tail[at[s] / 64] >> (at[s] % 64);
        head[j / 64] ^= (sum & 1) << (j % 64);
      });
}

}  // namespace petcore::ot
