// What one target of GF(2^128) provides; see gf128.h for the meaning.
#pragma once

#include <cstddef>

#include "ring/gf128.h"

namespace petcore::ring {

struct Gf128Kernels {
  Gf128 (*multiply)(Gf128 x, Gf128 y);
  void (*add_scaled)(Gf128* out, const Gf128* x, std::size_t size, Gf128 factor);
  void (*add_products)(Gf128* out, const Gf128* x, const Gf128* y, std::size_t size);
  Gf128 (*inner_product)(const Gf128* x, const Gf128* y, std::size_t size);
  void (*add_polynomial)(Gf128* out, const Gf128* x, std::size_t size, const Gf128* coefficients,
                         std::size_t degree);
};

// One pointer per target, null where the architecture is another one.
extern const Gf128Kernels* const kGf128Vclmul;
extern const Gf128Kernels* const kGf128Clmul;
extern const Gf128Kernels* const kGf128Portable;

}  // namespace petcore::ring
