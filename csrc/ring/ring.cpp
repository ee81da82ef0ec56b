#include "ring/ring.h"

#include <algorithm>

#include "base/error.h"
#include "ring/ring_kernels.h"

namespace petcore::ring {
namespace {

constexpr const char* kSizes = "ring: the operands have different sizes";

template <class... Inputs>
void check_sizes(Words out, const Inputs&... inputs) {
  check(((inputs.size() == out.size()) && ...), Code::usage, kSizes);
}

void check_shift(unsigned bits) {
  check(bits < 64, Code::usage, "ring: a shift is at least 0 and below 64");
}

void run(const Product& p, Words out, ConstWords a, ConstWords b, std::string_view target) {
  const Kernels& kernels = choose(target);
  check(a.size() == p.m * p.k && b.size() == p.k * p.n && out.size() == p.m * p.n, Code::usage,
        kSizes);
  if (out.empty()) return;
  if (p.k == 0) {
    if (!p.accumulate) std::fill(out.begin(), out.end(), 0);
    return;
  }
  Buffer<Word> scratch(kernels.scratch_words(p));
  kernels.matmul(p, scratch.data());
}

}  // namespace

void add(Words out, ConstWords x, ConstWords y, std::string_view target) {
  check_sizes(out, x, y);
  choose(target).add(out.data(), x.data(), y.data(), out.size());
}

void sub(Words out, ConstWords x, ConstWords y, std::string_view target) {
  check_sizes(out, x, y);
  choose(target).sub(out.data(), x.data(), y.data(), out.size());
}

void neg(Words out, ConstWords x, std::string_view target) {
  check_sizes(out, x);
  choose(target).neg(out.data(), x.data(), out.size());
}

void mul(Words out, ConstWords x, ConstWords y, std::string_view target) {
  check_sizes(out, x, y);
  choose(target).mul(out.data(), x.data(), y.data(), out.size());
}

void scale(Words out, ConstWords x, std::uint64_t factor, std::string_view target) {
  check_sizes(out, x);
  choose(target).scale(out.data(), x.data(), out.size(), factor);
}

void shift_left(Words out, ConstWords x, unsigned bits, std::string_view target) {
  check_sizes(out, x);
  check_shift(bits);
  choose(target).shift_left(out.data(), x.data(), out.size(), bits);
}

void shift_right(Words out, ConstWords x, unsigned bits, std::string_view target) {
  check_sizes(out, x);
  check_shift(bits);
  choose(target).shift_right(out.data(), x.data(), out.size(), bits);
}

void shift_right_signed(Words out, ConstWords x, unsigned bits, std::string_view target) {
  check_sizes(out, x);
  check_shift(bits);
  choose(target).shift_right_signed(out.data(), x.data(), out.size(), bits);
}

std::uint64_t sum(ConstWords x, std::string_view target) {
  return choose(target).sum(x.data(), x.size());
}

void mul_add2(Words out, ConstWords a, ConstWords b, ConstWords c, ConstWords d, ConstWords e,
              std::string_view target) {
  check_sizes(out, a, b, c, d, e);
  choose(target).mul_add2(out.data(), a.data(), b.data(), c.data(), d.data(), e.data(), out.size());
}

void matmul(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k, std::size_t n,
            bool accumulate, std::string_view target) {
  run({out.data(), a.data(), b.data(), m, k, n, accumulate, false, n, k, n}, out, a, b, target);
}

void matmul_transposed(Words out, ConstWords a, ConstWords b, std::size_t m, std::size_t k,
                       std::size_t n, bool accumulate, std::string_view target) {
  if (n == 1) return matmul(out, b, a, 1, k, m, accumulate, target);
  run({out.data(), a.data(), b.data(), m, k, n, accumulate, true, n, m, n}, out, a, b, target);
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
