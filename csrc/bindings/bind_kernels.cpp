#include <pybind11/stl.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bits/bits.h"
#include "hash/crh.h"
#include "prg/prg.h"
#include "prg/prg_kernels.h"
#include "ring/ring.h"
#include "simd/cpu.h"

namespace petcore::bindings {
namespace {

using py::arg;

prg::Seed seed_of(const py::bytes& bytes) {
  const std::string_view raw = bytes;
  check(raw.size() == 16, Code::usage, "a seed or key is 16 bytes");
  prg::Seed seed;
  std::memcpy(seed.data(), raw.data(), seed.size());
  return seed;
}

void prg_fill(py::array& out, const py::bytes& seed, std::uint64_t first_block,
              const std::string& target) {
  const auto to = std::as_writable_bytes(bytes_u8(out, "out"));
  const prg::Seed key = seed_of(seed);
  const py::gil_scoped_release release;
  prg::Prg(key, target).fill(to, first_block);
}

void prg_fill_words(py::array& out, const py::bytes& seed, std::uint64_t first_word,
                    const std::string& target) {
  const Words to = words(out, "out");
  const prg::Seed key = seed_of(seed);
  const py::gil_scoped_release release;
  prg::Prg(key, target).fill_words(to, first_word);
}

py::bytes derive(const py::bytes& seed, const std::array<std::uint64_t, 6>& label) {
  const prg::Seed derived = prg::derive(seed_of(seed), label);
  return py::bytes(reinterpret_cast<const char*>(derived.data()), derived.size());
}

py::array aes(const py::array& blocks, const py::bytes& key, const std::string& target) {
  const auto in = std::as_bytes(const_bytes_u8(blocks, "blocks"));
  check(in.size() % prg::kBlockBytes == 0, Code::usage, "aes: whole blocks of 16 bytes only");
  const prg::Seed raw = seed_of(key);
  Buffer<std::uint8_t> out(in.size());
  {
    const py::gil_scoped_release release;
    const prg::Kernels& row = prg::choose(target);
    std::array<std::byte, prg::kScheduleBytes> schedule;
    row.expand(schedule.data(), raw.data());
    row.encrypt(schedule.data(), std::as_writable_bytes(out.span()).data(), in.data(),
                in.size() / prg::kBlockBytes);
    wipe(schedule.data(), schedule.size());
  }
  return to_array(std::move(out), shape_of(blocks));
}

py::array crh(const py::array& blocks, std::uint64_t tweak_high, std::uint64_t tweak_low,
              std::optional<py::array> out, const std::string& target) {
  const auto in = std::as_bytes(const_bytes_u8(blocks, "blocks"));
  py::array result = out ? *out : to_array(Buffer<std::uint8_t>(in.size()), shape_of(blocks));
  const auto to = std::as_writable_bytes(bytes_u8(result, "out"));
  const py::gil_scoped_release release;
  hash::crh(to, in, {tweak_high, tweak_low}, target);
  return result;
}

py::bytes random_bytes(std::size_t num_bytes) {
  Buffer<std::byte> drawn(num_bytes);
  prg::random_bytes(drawn.span());
  return py::bytes(reinterpret_cast<const char*>(drawn.data()), drawn.size());
}

void bind_prg(Kernels& m) {
  m.def_static("prg_fill", prg_fill, arg("out").noconvert(), arg("seed"), arg("first_block") = 0,
               arg("target") = "", "AES-128-CTR keystream into a uint8 array.");
  m.def_static("prg_fill_words", prg_fill_words, arg("out").noconvert(), arg("seed"),
               arg("first_word") = 0, arg("target") = "");
  m.def_static("derive", derive, arg("seed"), arg("label"));
  m.def_static("aes", aes, arg("blocks").noconvert(), arg("key"), arg("target") = "",
               "AES-128 of every 16-byte block.");
  m.def_static("crh", crh, arg("blocks").noconvert(), arg("tweak_high") = 0, arg("tweak_low") = 0,
               arg("out").noconvert() = py::none(), arg("target") = "");
  m.def_static("random_bytes", random_bytes, arg("num_bytes"));
}

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

py::array to_slices(const py::array& x, const std::string& target) {
  const ConstWords in = const_words(x, "words");
  const std::size_t width = bits::num_words(in.size());
  Buffer<std::uint64_t> out(64 * width);
  {
    const py::gil_scoped_release release;
    bits::to_slices(out.span(), in, target);
  }
  return to_array(std::move(out), {64, static_cast<py::ssize_t>(width)});
}

py::array from_slices(const py::array& slices, std::size_t num_words, const std::string& target) {
  const ConstWords in = const_words(slices, "slices");
  Buffer<std::uint64_t> out(num_words);
  {
    const py::gil_scoped_release release;
    bits::from_slices(out.span(), in, target);
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
  m.def_static("to_slices", to_slices, arg("words").noconvert(), arg("target") = "");
  m.def_static("from_slices", from_slices, arg("slices").noconvert(), arg("num_words"),
               arg("target") = "");
  m.def_static("bit_transpose", bit_transpose, arg("matrix").noconvert(), arg("rows"),
               arg("columns"), arg("target") = "");
}

py::dict cpu_features() {
  const simd::Cpu& c = simd::cpu();
  return py::dict(py::arg("avx2") = c.avx2, py::arg("aesni") = c.aesni, py::arg("vaes") = c.vaes,
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
                        arg("bits") = bits::targets());
      },
      "The targets that each kernel can run here, widest first.");
  bind_ring(m);
  bind_prg(m);
  bind_bits(m);
}

}  // namespace petcore::bindings
