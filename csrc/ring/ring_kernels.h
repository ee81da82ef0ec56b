// What one target of the ring provides. Sizes are in words, pointers need no special alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace petcore::ring {

using Word = std::uint64_t;

// Product: out (m x n) = a (m x k) times b (k x n), row-major, rows `stride` words apart; k is at
// least 1.
struct Product {
  Word* out;
  const Word* a;
  const Word* b;
  std::size_t m, k, n;
  bool accumulate;  // added to out
  bool transposed;  // a is stored k x m
  std::size_t out_stride, a_stride, b_stride;
};

// Extent: how many words, and whether the output is better written around the caches: it is large,
// and none of the inputs.
struct Extent {
  Extent(std::size_t num_words, bool around = false) : size(num_words), around_cache(around) {}

  std::size_t size;
  bool around_cache;
};

struct Kernels {
  void (*add)(Word* out, const Word* x, const Word* y, Extent extent);
  void (*sub)(Word* out, const Word* x, const Word* y, Extent extent);
  void (*neg)(Word* out, const Word* x, Extent extent);
  void (*mul)(Word* out, const Word* x, const Word* y, Extent extent);
  void (*scale)(Word* out, const Word* x, Extent extent, Word factor);
  void (*shift_left)(Word* out, const Word* x, Extent extent, unsigned bits);
  void (*shift_right)(Word* out, const Word* x, Extent extent, unsigned bits);
  void (*shift_right_signed)(Word* out, const Word* x, Extent extent, unsigned bits);
  Word (*sum)(const Word* x, std::size_t size);
  void (*mul_add2)(Word* out, const Word* a, const Word* b, const Word* c, const Word* d,
                   const Word* e, Extent extent);
  // matmul wants scratch_words(product) words of scratch memory.
  std::size_t (*scratch_words)(const Product& product);
  void (*matmul)(const Product& product, Word* scratch);
};

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kAvx512;
extern const Kernels* const kAvx2;
extern const Kernels* const kNeon;
extern const Kernels* const kPortable;

// choose gives the row that `target` forces, or the widest for "".
const Kernels& choose(std::string_view target);

}  // namespace petcore::ring
