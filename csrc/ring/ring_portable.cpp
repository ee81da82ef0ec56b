#include "ring/ring_kernels.h"

namespace petcore::ring {
namespace {

void add(Word* out, const Word* x, const Word* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] + y[i];
}
void sub(Word* out, const Word* x, const Word* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] - y[i];
}
void neg(Word* out, const Word* x, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = -x[i];
}
void mul(Word* out, const Word* x, const Word* y, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] * y[i];
}
void scale(Word* out, const Word* x, std::size_t size, Word factor) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] * factor;
}
void shift_left(Word* out, const Word* x, std::size_t size, unsigned bits) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] << bits;
}
void shift_right(Word* out, const Word* x, std::size_t size, unsigned bits) {
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] >> bits;
}
void shift_right_signed(Word* out, const Word* x, std::size_t size, unsigned bits) {
  for (std::size_t i = 0; i < size; ++i)
    out[i] = static_cast<Word>(static_cast<std::int64_t>(x[i]) >> bits);
}
Word sum(const Word* x, std::size_t size) {
  Word total = 0;
  for (std::size_t i = 0; i < size; ++i) total += x[i];
  return total;
}
void mul_add2(Word* out, const Word* a, const Word* b, const Word* c, const Word* d, const Word* e,
              std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out[i] = a[i] * b[i] + c[i] * d[i] + e[i];
}
std::size_t workspace(const Product&) { return 0; }
void matmul(const Product& p, Word*) {
  for (std::size_t i = 0; i < p.m; ++i) {
    Word* row = p.out + i * p.n;
    if (!p.accumulate)
      for (std::size_t j = 0; j < p.n; ++j) row[j] = 0;
    for (std::size_t l = 0; l < p.k; ++l)
      for (std::size_t j = 0; j < p.n; ++j) row[j] += p.a[i * p.k + l] * p.b[l * p.n + j];
  }
}

constexpr Kernels kKernels = {add,   sub,        neg,         mul,
                              scale, shift_left, shift_right, shift_right_signed,
                              sum,   mul_add2,   workspace,   matmul};

}  // namespace

constinit const Kernels* const kPortable = &kKernels;

}  // namespace petcore::ring
