// GF(2^128): the field with the polynomial x^128 + x^7 + x^2 + x + 1 (NIST SP 800-38D's, but bits
// in their natural order: bit i of the element, little-endian in memory, is the coefficient of
// x^i). Adding is exclusive or. No branch and no address depends on a value, in any target.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/block.h"

namespace petcore::ring {

using Gf128 = petcore::Block;

// multiply and inverse are for single elements; the inverse of zero is zero.
Gf128 multiply(Gf128 x, Gf128 y);
Gf128 inverse(Gf128 x);

// The others work on vectors; all spans of a call have one size (Code::usage otherwise), and out
// may be an input, never a partial overlap.

// add_scaled: out_i += x_i factor.
void add_scaled(std::span<Gf128> out, std::span<const Gf128> x, Gf128 factor,
                std::string_view target = "");
// add_products: out_i += x_i y_i.
void add_products(std::span<Gf128> out, std::span<const Gf128> x, std::span<const Gf128> y,
                  std::string_view target = "");
// inner_product: the sum of x_i y_i.
Gf128 inner_product(std::span<const Gf128> x, std::span<const Gf128> y,
                    std::string_view target = "");
// add_polynomial: out_i += c_0 x_i + c_1 x_i^2 + .. + c_(d-1) x_i^d.
void add_polynomial(std::span<Gf128> out, std::span<const Gf128> x,
                    std::span<const Gf128> coefficients, std::string_view target = "");

std::vector<std::string_view> gf128_targets();

}  // namespace petcore::ring
