#include "ring/gf128.h"

#include <array>

#include "base/error.h"
#include "ring/gf128_kernels.h"
#include "simd/target.h"

namespace petcore::ring {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Gf128Kernels>;

std::span<const Row> table() {
  static const std::array<Row, 3> rows = {{
      {"vclmul", Tier::avx2, [](const Cpu& c) { return c.vclmul; }, kGf128Vclmul},
      {"clmul", Tier::aesni, [](const Cpu& c) { return c.clmul; }, kGf128Clmul},
      {"portable", Tier::portable, [](const Cpu&) { return true; }, kGf128Portable},
  }};
  return rows;
}

const Gf128Kernels& choose_gf128(std::string_view target) {
  if (!target.empty()) return simd::named(table(), target);
  static const Gf128Kernels& best = simd::widest(table());
  return best;
}

void same_size(std::size_t x, std::size_t y) {
  check(x == y, Code::usage, "gf128: two vectors have different sizes");
}

}  // namespace

Gf128 multiply(Gf128 x, Gf128 y) { return choose_gf128("").multiply(x, y); }

// x^(2^128 - 2): 127 squares, and products of all but the lowest exponent bit.
Gf128 inverse(Gf128 x) {
  const Gf128Kernels& kernels = choose_gf128("");
  Gf128 square = x, out = {1, 0};
  for (int i = 1; i < 128; ++i) {
    square = kernels.multiply(square, square);
    out = kernels.multiply(out, square);
  }
  return out;
}

void add_scaled(std::span<Gf128> out, std::span<const Gf128> x, Gf128 factor,
                std::string_view target) {
  same_size(out.size(), x.size());
  choose_gf128(target).add_scaled(out.data(), x.data(), x.size(), factor);
}

void add_products(std::span<Gf128> out, std::span<const Gf128> x, std::span<const Gf128> y,
                  std::string_view target) {
  same_size(out.size(), x.size());
  same_size(x.size(), y.size());
  choose_gf128(target).add_products(out.data(), x.data(), y.data(), x.size());
}

Gf128 inner_product(std::span<const Gf128> x, std::span<const Gf128> y, std::string_view target) {
  same_size(x.size(), y.size());
  return choose_gf128(target).inner_product(x.data(), y.data(), x.size());
}

void add_polynomial(std::span<Gf128> out, std::span<const Gf128> x,
                    std::span<const Gf128> coefficients, std::string_view target) {
  same_size(out.size(), x.size());
  choose_gf128(target).add_polynomial(out.data(), x.data(), x.size(), coefficients.data(),
                                      coefficients.size());
}

std::vector<std::string_view> gf128_targets() { return simd::usable_names(table()); }

}  // namespace petcore::ring
