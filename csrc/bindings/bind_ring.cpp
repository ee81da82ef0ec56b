#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "ring/ring.h"

namespace petcore::bindings {
namespace {

using py::arg;
using Out = std::optional<py::array>;
using Unary = void (*)(Words, ConstWords, const ring::Options&);
using Binary = void (*)(Words, ConstWords, ConstWords, const ring::Options&);
using Shift = void (*)(Words, ConstWords, unsigned, const ring::Options&);

py::array empty_words(const Shape& shape) {
  std::size_t size = 1;
  for (const auto extent : shape) size *= static_cast<std::size_t>(extent);
  return to_array(Buffer<std::uint64_t>(size), shape);
}

py::array output(const Out& out, const Shape& shape) {
  if (!out) return empty_words(shape);
  if (shape_of(*out) != shape) throw py::value_error("out has the wrong shape");
  return *out;
}

py::array run_unary(Unary f, const py::array& x, const Out& out, const std::string& target,
                    std::size_t threads) {
  const ConstWords in = const_words(x, "x");
  py::array result = output(out, shape_of(x));
  const Words to = words(result, "out");
  const py::gil_scoped_release release;
  Pool pool(threads);
  f(to, in, {pool, target});
  return result;
}

void def_unary(Kernels& m, const char* name, Unary f) {
  m.def_static(
      name,
      [f](const py::array& x, const Out& out, const std::string& target, std::size_t threads) {
        return run_unary(f, x, out, target, threads);
      },
      arg("x").noconvert(), arg("out").noconvert() = py::none(), arg("target") = "",
      arg("threads") = 1);
}

void def_binary(Kernels& m, const char* name, Binary f) {
  m.def_static(
      name,
      [f](const py::array& x, const py::array& y, const Out& out, const std::string& target,
          std::size_t threads) {
        const ConstWords left = const_words(x, "x"), right = const_words(y, "y");
        py::array result = output(out, shape_of(x));
        const Words to = words(result, "out");
        const py::gil_scoped_release release;
        Pool pool(threads);
        f(to, left, right, {pool, target});
        return result;
      },
      arg("x").noconvert(), arg("y").noconvert(), arg("out").noconvert() = py::none(),
      arg("target") = "", arg("threads") = 1);
}

void def_shift(Kernels& m, const char* name, Shift f) {
  m.def_static(
      name,
      [f](const py::array& x, unsigned bits, const Out& out, const std::string& target,
          std::size_t threads) {
        const ConstWords in = const_words(x, "x");
        py::array result = output(out, shape_of(x));
        const Words to = words(result, "out");
        const py::gil_scoped_release release;
        Pool pool(threads);
        f(to, in, bits, {pool, target});
        return result;
      },
      arg("x").noconvert(), arg("bits"), arg("out").noconvert() = py::none(), arg("target") = "",
      arg("threads") = 1);
}

py::array scale(const py::array& x, std::uint64_t factor, const Out& out, const std::string& target,
                std::size_t threads) {
  const ConstWords in = const_words(x, "x");
  py::array result = output(out, shape_of(x));
  const Words to = words(result, "out");
  const py::gil_scoped_release release;
  Pool pool(threads);
  ring::scale(to, in, factor, {pool, target});
  return result;
}

std::uint64_t sum(const py::array& x, const std::string& target, std::size_t threads) {
  const ConstWords in = const_words(x, "x");
  const py::gil_scoped_release release;
  Pool pool(threads);
  return ring::sum(in, {pool, target});
}

py::array mul_add2(const py::array& a, const py::array& b, const py::array& c, const py::array& d,
                   const py::array& e, const Out& out, const std::string& target,
                   std::size_t threads) {
  const ConstWords va = const_words(a, "a"), vb = const_words(b, "b"), vc = const_words(c, "c"),
                   vd = const_words(d, "d"), ve = const_words(e, "e");
  py::array result = output(out, shape_of(a));
  const Words to = words(result, "out");
  const py::gil_scoped_release release;
  Pool pool(threads);
  ring::mul_add2(to, va, vb, vc, vd, ve, {pool, target});
  return result;
}

// product is matmul, or matmul_transposed for an a that is stored k x m.
py::array product(bool transposed, const py::array& a, const py::array& b, const Out& out,
                  bool accumulate, const std::string& target, std::size_t threads) {
  const ConstWords left = const_words(a, "a"), right = const_words(b, "b");
  const int rows = transposed ? 1 : 0;
  if (a.ndim() != 2 || b.ndim() != 2 || a.shape(1 - rows) != b.shape(0))
    throw py::value_error(transposed ? "matmul_transposed wants shapes (k, m) and (k, n)"
                                     : "matmul wants shapes (m, k) and (k, n)");
  check(out || !accumulate, Code::usage, "matmul: accumulate needs out");
  const auto m = static_cast<std::size_t>(a.shape(rows)), k = static_cast<std::size_t>(b.shape(0)),
             n = static_cast<std::size_t>(b.shape(1));
  py::array result = output(out, {a.shape(rows), b.shape(1)});
  const Words to = words(result, "out");
  const py::gil_scoped_release release;
  Pool pool(threads);
  const auto f = transposed ? ring::matmul_transposed : ring::matmul;
  f(to, left, right, m, k, n, accumulate, {pool, target});
  return result;
}

void def_product(Kernels& m, const char* name, bool transposed) {
  m.def_static(
      name,
      [transposed](const py::array& a, const py::array& b, const Out& out, bool accumulate,
                   const std::string& target, std::size_t threads) {
        return product(transposed, a, b, out, accumulate, target, threads);
      },
      arg("a").noconvert(), arg("b").noconvert(), arg("out").noconvert() = py::none(),
      arg("accumulate") = false, arg("target") = "", arg("threads") = 1);
}

py::array transpose(const py::array& a) {
  const ConstWords in = const_words(a, "a");
  if (a.ndim() != 2) throw py::value_error("transpose wants a matrix");
  py::array result = empty_words({a.shape(1), a.shape(0)});
  const Words to = words(result, "out");
  const auto m = static_cast<std::size_t>(a.shape(0)), n = static_cast<std::size_t>(a.shape(1));
  const py::gil_scoped_release release;
  ring::transpose(to, in, m, n);
  return result;
}

}  // namespace

void bind_ring(Kernels& m) {
  def_binary(m, "add", ring::add);
  def_binary(m, "sub", ring::sub);
  def_binary(m, "mul", ring::mul);
  def_unary(m, "neg", ring::neg);
  def_shift(m, "shift_left", ring::shift_left);
  def_shift(m, "shift_right", ring::shift_right);
  def_shift(m, "shift_right_signed", ring::shift_right_signed);
  m.def_static("scale", scale, arg("x").noconvert(), arg("factor"),
               arg("out").noconvert() = py::none(), arg("target") = "", arg("threads") = 1);
  m.def_static("sum", sum, arg("x").noconvert(), arg("target") = "", arg("threads") = 1);
  m.def_static("mul_add2", mul_add2, arg("a").noconvert(), arg("b").noconvert(),
               arg("c").noconvert(), arg("d").noconvert(), arg("e").noconvert(),
               arg("out").noconvert() = py::none(), arg("target") = "", arg("threads") = 1,
               "a * b + c * d + e");
  def_product(m, "matmul", false);
  def_product(m, "matmul_transposed", true);
  m.def_static("transpose", transpose, arg("a").noconvert());
}

}  // namespace petcore::bindings
