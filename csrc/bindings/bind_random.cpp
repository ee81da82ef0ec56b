// WordStream behind NumPy's C interface for random bit generators.
#include <pybind11/stl.h>

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "prg/word_stream.h"

namespace petcore::bindings {
namespace {

using prg::WordStream;
using py::arg;
using Position = WordStream::Position;

// bitgen_t of numpy/random/bitgen.h, which NumPy keeps stable for generators made elsewhere (NumPy
// reference, "Extending", random C-API). NumPy calls it from C: nothing may be thrown through it.
struct BitGenerator {
  void* state;
  std::uint64_t (*next_uint64)(void*) noexcept;
  std::uint32_t (*next_uint32)(void*) noexcept;
  double (*next_double)(void*) noexcept;
  std::uint64_t (*next_raw)(void*) noexcept;
};

void install(WordStream& stream, const py::capsule& capsule) {
  check(capsule.name() != nullptr && std::string_view(capsule.name()) == "BitGenerator",
        Code::usage, "this is not the capsule of a NumPy BitGenerator");
  BitGenerator* bits = capsule.get_pointer<BitGenerator>();
  bits->state = &stream;
  bits->next_uint64 = bits->next_raw = WordStream::next64;
  bits->next_uint32 = WordStream::next32;
  bits->next_double = WordStream::next_double;
}

prg::Seed key_of(const py::bytes& bytes) {
  const std::string_view raw = bytes;
  check(raw.size() == 16, Code::usage, "a key of AES-128 is 16 bytes");
  prg::Seed key;
  std::memcpy(key.data(), raw.data(), key.size());
  return key;
}

// Python sees a position as two words, the low one first.
using Halves = std::array<std::uint64_t, 2>;

Position position_of(const Halves& halves) { return Position{halves[1]} << 64 | halves[0]; }

py::tuple state_of(const WordStream& stream) {
  const WordStream::State state = stream.state();
  const Halves position = {static_cast<std::uint64_t>(state.position),
                           static_cast<std::uint64_t>(state.position >> 64)};
  return py::make_tuple(
      py::bytes(reinterpret_cast<const char*>(state.key.data()), state.key.size()), position,
      state.has_half);
}

void set_state(WordStream& stream, const py::bytes& key, const Halves& position, bool has_half) {
  stream.set_state({key_of(key), position_of(position), has_half});
}

void fill(WordStream& stream, py::array& out) {
  const auto to = std::as_writable_bytes(bytes_u8(out, "out"));
  const py::gil_scoped_release release;
  stream.fill(to);
}

}  // namespace

void bind_random(py::module_& module) {
  py::class_<WordStream>(module, "WordStream", "AES-128-CTR, word by word; see petcore.random.")
      .def(py::init([](const py::bytes& key) { return new WordStream(key_of(key)); }), arg("key"))
      .def("install", install, arg("capsule"),
           "Make a NumPy BitGenerator draw from this stream, which has to outlive it.")
      .def("fill", fill, arg("out").noconvert())
      .def(
          "advance",
          [](WordStream& stream, const Halves& words) { stream.advance(position_of(words)); },
          arg("words"))
      .def("state", state_of, "(key, position, has_half).")
      .def("set_state", set_state, arg("key"), arg("position"), arg("has_half"));
}

}  // namespace petcore::bindings
