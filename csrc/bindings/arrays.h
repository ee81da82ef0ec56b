// Strict arrays: exact dtype, C-contiguous, never a hidden copy. A wrong array raises TypeError or
// ValueError that says what to call.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"

namespace petcore::bindings {

namespace py = pybind11;

using Shape = std::vector<py::ssize_t>;

namespace detail {

template <class T>
[[noreturn]] void refuse_dtype(const py::array& array, const char* name) {
  const std::string wanted = py::str(static_cast<py::object>(py::dtype::of<T>()));
  const std::string found = py::str(static_cast<py::object>(array.dtype()));
  throw py::type_error(std::string(name) + " has dtype " + found + ", not " + wanted + "; call " +
                       name + ".astype(np." + wanted + ")");
}

template <class T>
void check_array(const py::array& array, const char* name) {
  if (!py::isinstance<py::array_t<T>>(array)) refuse_dtype<T>(array, name);
  if ((array.flags() & py::array::c_style) == 0)
    throw py::value_error(std::string(name) + " is not C-contiguous; call np.ascontiguousarray(" +
                          name + ")");
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
    throw py::value_error(std::string(name) + " is not aligned in memory; call " + name +
                          ".copy()");
}

}  // namespace detail

// view_of reads an array of T; the span lives as long as the array.
template <class T>
std::span<const T> view_of(const py::array& array, const char* name) {
  detail::check_array<T>(array, name);
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

// writable_view_of is view_of for an output; a read-only array raises ValueError.
template <class T>
std::span<T> writable_view_of(py::array& array, const char* name) {
  detail::check_array<T>(array, name);
  if (!array.writeable())
    throw py::value_error(std::string(name) + " is read-only; pass a writable array");
  return {static_cast<T*>(array.mutable_data()), static_cast<std::size_t>(array.size())};
}

inline ConstWords const_words(const py::array& array, const char* name) {
  return view_of<std::uint64_t>(array, name);
}
inline Words words(py::array& array, const char* name) {
  return writable_view_of<std::uint64_t>(array, name);
}
inline std::span<const std::uint8_t> const_bytes_u8(const py::array& array, const char* name) {
  return view_of<std::uint8_t>(array, name);
}
inline std::span<std::uint8_t> bytes_u8(py::array& array, const char* name) {
  return writable_view_of<std::uint8_t>(array, name);
}

inline Shape shape_of(const py::array& array) {
  return {array.shape(), array.shape() + array.ndim()};
}

// to_array hands a buffer over to NumPy without a copy; it is wiped when the array dies.
template <class T>
py::array to_array(Buffer<T>&& buffer, const Shape& shape) {
  auto owned = std::make_unique<Buffer<T>>(std::move(buffer));
  T* data = owned->data();
  py::capsule owner(owned.get(), [](void* held) { delete static_cast<Buffer<T>*>(held); });
  owned.release();
  return py::array(py::dtype::of<T>(), shape, data, owner);
}
template <class T>
py::array to_array(Buffer<T>&& buffer) {
  const auto size = static_cast<py::ssize_t>(buffer.size());
  return to_array(std::move(buffer), Shape{size});
}

}  // namespace petcore::bindings
