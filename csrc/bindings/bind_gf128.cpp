// GF(2^128), for tests.
#include <pybind11/stl.h>

#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/blocks.h"
#include "ring/gf128.h"

namespace petcore::bindings {
namespace {

using py::arg;
using ring::Gf128;

Gf128 one_element(const py::array& row, const char* name) {
  const Buffer<Gf128> x = copy_blocks(row, name);
  check(x.size() == 1, Code::usage, "one element of GF(2^128) is needed");
  return x[0];
}

py::array row_of(Gf128 x) {
  Buffer<Gf128> one(1);
  one[0] = x;
  return block_array(one.span());
}

}  // namespace

void bind_gf128(Kernels& m) {
  m.def_static("gf128_multiply", [](const py::array& x, const py::array& y) {
    return row_of(ring::multiply(one_element(x, "x"), one_element(y, "y")));
  });
  m.def_static("gf128_inverse",
               [](const py::array& x) { return row_of(ring::inverse(one_element(x, "x"))); });
  m.def_static(
      "gf128_add_scaled",
      [](const py::array& out, const py::array& x, const py::array& factor,
         const std::string& target) {
        Buffer<Gf128> sum = copy_blocks(out, "out");
        ring::add_scaled(sum.span(), copy_blocks(x, "x").span(), one_element(factor, "factor"),
                         target);
        return block_array(sum.span());
      },
      arg("out"), arg("x"), arg("factor"), arg("target") = "");
  m.def_static(
      "gf128_add_products",
      [](const py::array& out, const py::array& x, const py::array& y, const std::string& target) {
        Buffer<Gf128> sum = copy_blocks(out, "out");
        ring::add_products(sum.span(), copy_blocks(x, "x").span(), copy_blocks(y, "y").span(),
                           target);
        return block_array(sum.span());
      },
      arg("out"), arg("x"), arg("y"), arg("target") = "");
  m.def_static(
      "gf128_inner_product",
      [](const py::array& x, const py::array& y, const std::string& target) {
        return row_of(
            ring::inner_product(copy_blocks(x, "x").span(), copy_blocks(y, "y").span(), target));
      },
      arg("x"), arg("y"), arg("target") = "");
  m.def_static(
      "gf128_add_polynomial",
      [](const py::array& out, const py::array& x, const py::array& coefficients,
         const std::string& target) {
        Buffer<Gf128> sum = copy_blocks(out, "out");
        ring::add_polynomial(sum.span(), copy_blocks(x, "x").span(),
                             copy_blocks(coefficients, "coefficients").span(), target);
        return block_array(sum.span());
      },
      arg("out"), arg("x"), arg("coefficients"), arg("target") = "");
  m.def_static("gf128_targets", &ring::gf128_targets);
}

}  // namespace petcore::bindings
