#include "ring/ring.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "ring/ring_kernels.h"
#include "simd/cpu.h"

namespace petcore::ring {
namespace {

// The least that a thread is woken up for: about half a millisecond of work.
constexpr std::size_t kWordsPerPart = std::size_t{1} << 19;
constexpr std::size_t kProductsPerPart = std::size_t{1} << 22;
constexpr std::size_t kLinesPerPart = 12;  // rows or columns

constexpr const char* kSizes = "ring: the operands have different sizes";

template <class... Inputs>
void check_sizes(Words out, const Inputs&... inputs) {
  check(((inputs.size() == out.size()) && ...), Code::usage, kSizes);
}

void check_shift(unsigned bits) {
  check(bits < 64, Code::usage, "ring: a shift is at least 0 and below 64");
}

// split calls work(kernels, at, size) for ranges of n words.
template <class Work>
void split(std::size_t n, const Options& options, const Work& work) {
  const Kernels& kernels = choose(options.target);
  if (options.pool == nullptr || n < 2 * kWordsPerPart) return work(kernels, 0, n);
  options.pool->parallel_for(n, kWordsPerPart, [&](std::size_t begin, std::size_t end) {
    work(kernels, begin, end - begin);
  });
}

template <class... Inputs>
bool is_around_cache(Words out, const Inputs&... inputs) {
  return out.size_bytes() >= simd::around_cache_bytes() && ((inputs.data() != out.data()) && ...);
}

template <class Kernel, class... Inputs>
void each(const Options& options, Kernel Kernels::* kernel, Words out, const Inputs&... inputs) {
  check_sizes(out, inputs...);
  const bool around = is_around_cache(out, inputs...);
  split(out.size(), options, [&](const Kernels& kernels, std::size_t at, std::size_t size) {
    (kernels.*kernel)(out.data() + at, (inputs.data() + at)..., {size, around});
  });
}

// each_by is each for a kernel that takes one number for all words.
template <class Kernel, class Number>
void each_by(const Options& options, Kernel Kernels::* kernel, Words out, ConstWords x, Number by) {
  check_sizes(out, x);
  const bool around = is_around_cache(out, x);
  split(out.size(), options, [&](const Kernels& kernels, std::size_t at, std::size_t size) {
    (kernels.*kernel)(out.data() + at, x.data() + at, {size, around}, by);
  });
}

void multiply(const Product& p, const Kernels& kernels) {
  Buffer<Word> scratch(kernels.scratch_words(p));
  kernels.matmul(p, scratch.data());
}

// Parts of a product are ranges of its rows, or of its columns where there are more of these: each
// part packs the other operand again.
void run(const Product& p, Words out, ConstWords a, ConstWords b, const Options& options) {
  const Kernels& kernels = choose(options.target);
  check(a.size() == p.m * p.k && b.size() == p.k * p.n && out.size() == p.m * p.n, Code::usage,
        kSizes);
  if (out.empty()) return;
  if (p.k == 0) {
    if (!p.accumulate) std::fill(out.begin(), out.end(), 0);
    return;
  }
  const std::size_t longer = std::max(p.m, p.n), line = out.size() / longer * p.k;
  if (options.pool == nullptr || longer * line < 2 * kProductsPerPart) return multiply(p, kernels);
  const std::size_t grain = std::max(kLinesPerPart, kProductsPerPart / line);
  options.pool->parallel_for(longer, grain, [&](std::size_t begin, std::size_t end) {
    Product part = p;
    if (p.m >= p.n) {
      part.m = end - begin;
      part.a += begin * (p.transposed ? 1 : p.a_stride);
      part.out += begin * p.out_stride;
    } else {
      part.n = end - begin;
      part.b += begin;
      part.out += begin;
    }
    multiply(part, kernels);
  });
}

}  // namespace

void add(Words out, ConstWords x, ConstWords y, const Options& options) {
  each(options, &Kernels::add, out, x, y);
}

void sub(Words out, ConstWords x, ConstWords y, const Options& options) {
  each(options, &Kernels::sub, out, x, y);
}

void neg(Words out, ConstWords x, const Options& options) { each(options, &Kernels::neg, out, x); }

void mul(Words out, ConstWords x, ConstWords y, const Options& options) {
  each(options, &Kernels::mul, out, x, y);
}

void scale(Words out, ConstWords x, std::uint64_t factor, const Options& options) {
  each_by(options, &Kernels::scale, out, x, factor);
}

void shift_left(Words out, ConstWords x, unsigned bits, const Options& options) {
  check_shift(bits);
  each_by(options, &Kernels::shift_left, out, x, bits);
}

void shift_right(Words out, ConstWords x, unsigned bits, const Options& options) {
  check_shift(bits);
  each_by(options, &Kernels::shift_right, out, x, bits);
}

void shift_right_signed(Words out, ConstWords x, unsigned bits, const Options& options) {
  check_shift(bits);
  each_by(options, &Kernels::shift_right_signed, out, x, bits);
}

std::uint64_t sum(ConstWords x, const Options& options) {
  std::atomic<Word> total = 0;
  split(x.size(), options, [&](const Kernels& kernels, std::size_t at, std::size_t size) {
    total += kernels.sum(x.data() + at, size);
  });
  return total;
}

void mul_add2(Words out, ConstWords a, ConstWords b, ConstWords c, ConstWords d, ConstWords e,
              const Options& options) {
  each(options, &Kernels::mul_add2, out, a, b, c, d, e);
}

void matmul(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k, std::size_t n,
            bool accumulate, const Options& options) {
  run({out.data(), a.data(), b.data(), m, k, n, accumulate, false, n, k, n}, out, a, b, options);
}

void matmul_transposed(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k,
                       std::size_t n, bool accumulate, const Options& options) {
  if (n == 1) return matmul(out, b, a, 1, k, m, accumulate, options);
  run({out.data(), a.data(), b.data(), m, k, n, accumulate, true, n, m, n}, out, a, b, options);
}

void transpose(Words out, ConstWords a, std::size_t m, std::size_t n) {
  check(a.size() == m * n && out.size() == m * n, Code::usage, kSizes);
  constexpr std::size_t kTile = 8;  // one cache line of words each way
  for (std::size_t i0 = 0; i0 < m; i0 += kTile)
    for (std::size_t j0 = 0; j0 < n; j0 += kTile)
      for (std::size_t j = j0; j < std::min(j0 + kTile, n); ++j)
        for (std::size_t i = i0; i < std::min(i0 + kTile, m); ++i) out[j * m + i] = a[i * n + j];
}

}  // namespace petcore::ring
