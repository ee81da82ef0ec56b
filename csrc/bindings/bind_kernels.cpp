#include <pybind11/stl.h>

#include <string>

#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bits/bits.h"
#include "fss/tree.h"
#include "prg/prg.h"
#include "ring/ring.h"
#include "simd/cpu.h"

namespace petcore::bindings {
namespace {

using py::arg;

py::array pack(const py::array& bytes, const std::string& target) {
  const auto in = const_bytes_u8(bytes, "bits");
  Buffer<std::uint64_t> out(bits::num_words(in.size()));
  {
    const py::gil_scoped_release release;
    bits::pack(out.span(), in, target);
  }
  return to_array(std::move(out));
}

py::array unpack(const py::array& packed, std::size_t num_bits, const std::string& target) {
  const ConstWords in = const_words(packed, "words");
  Buffer<std::uint8_t> out(num_bits);
  {
    const py::gil_scoped_release release;
    bits::unpack(out.span(), in, target);
  }
  return to_array(std::move(out));
}

py::array to_slices(const py::array& x, const std::string& target, unsigned width) {
  const ConstWords in = const_words(x, "words");
  const std::size_t packed = bits::num_words(in.size());
  Buffer<std::uint64_t> out(width * packed);
  {
    const py::gil_scoped_release release;
    bits::to_slices(out.span(), in, width, target);
  }
  return to_array(std::move(out),
                  {static_cast<py::ssize_t>(width), static_cast<py::ssize_t>(packed)});
}

py::array narrow(const py::array& x, unsigned num_bytes, const std::string& target) {
  const ConstWords in = const_words(x, "words");
  Buffer<std::uint64_t> out(bits::narrow_words(in.size(), num_bytes));
  {
    const py::gil_scoped_release release;
    bits::narrow(out.span(), in, num_bytes, target);
  }
  return to_array(std::move(out));
}

py::array widen_sum(const py::array& x, const py::array& y, std::size_t num_words,
                    unsigned num_bytes, const std::string& target) {
  const ConstWords a = const_words(x, "x"), b = const_words(y, "y");
  Buffer<std::uint64_t> out(num_words);
  {
    const py::gil_scoped_release release;
    bits::widen_sum(out.span(), a, b, num_bytes, target);
  }
  return to_array(std::move(out));
}

py::array from_slices(const py::array& slices, std::size_t num_words, const std::string& target,
                      unsigned width) {
  const ConstWords in = const_words(slices, "slices");
  Buffer<std::uint64_t> out(num_words);
  {
    const py::gil_scoped_release release;
    bits::from_slices(out.span(), in, width, target);
  }
  return to_array(std::move(out));
}

py::array bit_transpose(const py::array& matrix, std::size_t rows, std::size_t columns,
                        const std::string& target) {
  const ConstWords in = const_words(matrix, "matrix");
  const std::size_t width = bits::num_words(rows);
  Buffer<std::uint64_t> out(columns * width);
  {
    const py::gil_scoped_release release;
    bits::transpose(out.span(), in, rows, columns, target);
  }
  return to_array(std::move(out),
                  {static_cast<py::ssize_t>(columns), static_cast<py::ssize_t>(width)});
}

void bind_bits(Kernels& m) {
  m.def_static("pack", pack, arg("bits").noconvert(), arg("target") = "");
  m.def_static("unpack", unpack, arg("words").noconvert(), arg("num_bits"), arg("target") = "");
  m.def_static("narrow", narrow, arg("words").noconvert(), arg("num_bytes"), arg("target") = "");
  m.def_static("widen_sum", widen_sum, arg("x").noconvert(), arg("y").noconvert(), arg("num_words"),
               arg("num_bytes"), arg("target") = "");
  m.def_static("to_slices", to_slices, arg("words").noconvert(), arg("target") = "",
               arg("width") = 64);
  m.def_static("from_slices", from_slices, arg("slices").noconvert(), arg("num_words"),
               arg("target") = "", arg("width") = 64);
  m.def_static("bit_transpose", bit_transpose, arg("matrix").noconvert(), arg("rows"),
               arg("columns"), arg("target") = "");
}

py::dict cpu_features() {
  const simd::Cpu& c = simd::cpu();
  return py::dict(py::arg("avx2") = c.avx2, py::arg("aesni") = c.aesni, py::arg("clmul") = c.clmul,
                  py::arg("vaes") = c.vaes, py::arg("vclmul") = c.vclmul, py::arg("sha") = c.sha,
                  py::arg("avx512") = c.avx512, py::arg("neon") = c.neon,
                  py::arg("neon_aes") = c.neon_aes);
}

}  // namespace

void bind_kernels(py::module_& module) {
  Kernels m(module, "kernels", "Local kernels, for tests and benchmarks.");
  m.def_static("cpu", cpu_features, "Which instruction sets this processor offers.");
  m.def_static(
      "targets",
      [] {
        return py::dict(arg("prg") = prg::targets(), arg("ring") = ring::targets(),
                        arg("bits") = bits::targets(), arg("fss") = fss::targets());
      },
      "The targets that each kernel can run here, widest first.");
  m.def_static(
      "chosen_targets",
      [] {
        return py::dict(arg("prg") = prg::chosen_target(), arg("ring") = ring::chosen_target(),
                        arg("bits") = bits::chosen_target(), arg("fss") = fss::chosen_target());
      },
      "The target that each kernel takes, as the processor and PETCORE_TARGET decide.");
  bind_ring(m);
  bind_prg(m);
  bind_bits(m);
  bind_gates(m);
  bind_gf128(m);
  bind_ot_kernels(m);
  bind_fss(m);
}

}  // namespace petcore::bindings
