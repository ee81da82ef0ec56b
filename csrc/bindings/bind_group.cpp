// The group P-256: static functions from bytes to bytes, for tests and benchmarks.
#include <pybind11/pybind11.h>

#include <array>
#include <string_view>

#include "bindings/bindings.h"
#include "group/expand.h"
#include "group/p256.h"

namespace petcore::bindings {
namespace {

namespace py = pybind11;
using group::Point;
using group::Scalar;
using py::arg;

struct Group {};

ConstBytes view(const py::bytes& bytes) { return group::bytes_of(std::string_view(bytes)); }

py::bytes to_python(ConstBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <std::size_t size, class T>
py::bytes encoded(const T& value) {
  std::array<std::byte, size> out;
  value.encode(out);
  return to_python(out);
}
py::bytes encoded(const Point& p) { return encoded<group::kPointBytes>(p); }
py::bytes encoded(const Scalar& k) { return encoded<group::kScalarBytes>(k); }

Point point(const py::bytes& bytes) { return Point::decode(view(bytes), Code::usage); }
Scalar scalar(const py::bytes& bytes) { return Scalar::decode(view(bytes), Code::usage); }

py::bytes expand(const py::bytes& message, const py::bytes& tag, std::size_t size) {
  Buffer<std::byte> out(size);
  const ConstBytes whole = view(message);
  group::expand_message(out.span(), {&whole, 1}, std::string_view(tag));
  return to_python(out.span());
}

py::bytes multiply_all(const py::bytes& points, const py::bytes& k, std::size_t threads) {
  const ConstBytes in = view(points);
  const Scalar factor = scalar(k);
  Buffer<std::byte> out(in.size());
  {
    const py::gil_scoped_release release;
    Pool pool(threads);
    std::vector<Point> held(in.size() / group::kPointBytes);
    group::decode_each(pool, held, in, Code::usage);
    group::multiply_each(pool, held, held, factor);
    group::encode_each(pool, out.span(), held);
  }
  return to_python(out.span());
}

void bind_points(py::class_<Group>& m) {
  m.def_static("generator", [] { return encoded(Point::generator()); });
  m.def_static("generator_multiple",
               [](const py::bytes& k) { return encoded(Point::generator_multiple(scalar(k))); });
  m.def_static("multiply", [](const py::bytes& k, const py::bytes& p) {
    return encoded(scalar(k) * point(p));
  });
  m.def_static("multiply_all", multiply_all, arg("points"), arg("k"), arg("threads") = 1);
  m.def_static("add",
               [](const py::bytes& p, const py::bytes& q) { return encoded(point(p) + point(q)); });
  m.def_static("subtract",
               [](const py::bytes& p, const py::bytes& q) { return encoded(point(p) - point(q)); });
  m.def_static("equal",
               [](const py::bytes& p, const py::bytes& q) { return point(p) == point(q); });
  m.def_static("decode", [](const py::bytes& p) { return encoded(point(p)); });
}

void bind_scalars(py::class_<Group>& m) {
  m.def_static("random_scalar", [] { return encoded(Scalar::random()); });
  m.def_static("reduce", [](const py::bytes& wide) { return encoded(Scalar::reduce(view(wide))); });
  m.def_static("invert", [](const py::bytes& k) { return encoded(scalar(k).inverse()); });
  m.def_static("scalar_sum", [](const py::bytes& x, const py::bytes& y) {
    return encoded(scalar(x) + scalar(y));
  });
  m.def_static("scalar_difference", [](const py::bytes& x, const py::bytes& y) {
    return encoded(scalar(x) - scalar(y));
  });
  m.def_static("scalar_product", [](const py::bytes& x, const py::bytes& y) {
    return encoded(scalar(x) * scalar(y));
  });
}

}  // namespace

void bind_group(py::module_& module) {
  py::class_<Group> m(module, "group", "The group P-256, for tests and benchmarks.");
  bind_points(m);
  bind_scalars(m);
  m.def_static("hash_to_curve", [](const py::bytes& message, const py::bytes& tag) {
    return encoded(group::hash_to_curve(view(message), std::string_view(tag)));
  });
  m.def_static("hash_to_scalar", [](const py::bytes& message, const py::bytes& tag) {
    return encoded(group::hash_to_scalar(view(message), std::string_view(tag)));
  });
  m.def_static("expand_message", expand, arg("message"), arg("tag"), arg("size"));
}

}  // namespace petcore::bindings
