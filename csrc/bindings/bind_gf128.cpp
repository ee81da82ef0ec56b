// GF(2^128) for tests: elements are rows of two words, copied to where kernels may read them.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "ring/gf128.h"

namespace petcore::bindings {
namespace {

using py::arg;
using ring::Gf128;

Buffer<Gf128> elements(const py::array& rows, const char* name) {
  const ConstWords in = const_words(rows, name);
  check(in.size() % 2 == 0, Code::usage, "elements of GF(2^128) are two words each");
  Buffer<Gf128> out(in.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = {in[2 * i], in[2 * i + 1]};
  return out;
}

py::array rows_of(const Buffer<Gf128>& x) {
  Buffer<std::uint64_t> out(2 * x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[2 * i] = x[i].low;
    out[2 * i + 1] = x[i].high;
  }
  return to_array(std::move(out), {static_cast<py::ssize_t>(x.size()), 2});
}

Gf128 one_element(const py::array& row, const char* name) {
  const Buffer<Gf128> x = elements(row, name);
  check(x.size() == 1, Code::usage, "one element of GF(2^128) is needed");
  return x[0];
}

py::array row_of(Gf128 x) {
  Buffer<Gf128> one(1);
  one[0] = x;
  return rows_of(one);
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
        Buffer<Gf128> sum = elements(out, "out");
        ring::add_scaled(sum.span(), elements(x, "x").span(), one_element(factor, "factor"),
                         target);
        return rows_of(sum);
      },
      arg("out"), arg("x"), arg("factor"), arg("target") = "");
  m.def_static(
      "gf128_add_products",
      [](const py::array& out, const py::array& x, const py::array& y, const std::string& target) {
        Buffer<Gf128> sum = elements(out, "out");
        ring::add_products(sum.span(), elements(x, "x").span(), elements(y, "y").span(), target);
        return rows_of(sum);
      },
      arg("out"), arg("x"), arg("y"), arg("target") = "");
  m.def_static(
      "gf128_inner_product",
      [](const py::array& x, const py::array& y, const std::string& target) {
        return row_of(
            ring::inner_product(elements(x, "x").span(), elements(y, "y").span(), target));
      },
      arg("x"), arg("y"), arg("target") = "");
  m.def_static(
      "gf128_add_polynomial",
      [](const py::array& out, const py::array& x, const py::array& coefficients,
         const std::string& target) {
        Buffer<Gf128> sum = elements(out, "out");
        ring::add_polynomial(sum.span(), elements(x, "x").span(),
                             elements(coefficients, "coefficients").span(), target);
        return rows_of(sum);
      },
      arg("out"), arg("x"), arg("coefficients"), arg("target") = "");
  m.def_static("gf128_targets", &ring::gf128_targets);
}

}  // namespace petcore::bindings
