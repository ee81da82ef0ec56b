// The PRG, its fused forms and the fixed-key hash.
#include <pybind11/stl.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "hash/crh.h"
#include "prg/prg.h"
#include "prg/prg_kernels.h"

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

using MixWords = void (prg::Prg::*)(Words, ConstWords, std::uint64_t) const;

template <MixWords mix>
py::array prg_mix(const py::array& x, const py::bytes& seed, std::uint64_t first_word,
                  std::optional<py::array> out, const std::string& target) {
  const ConstWords in = const_words(x, "x");
  py::array result = out ? *out : to_array(Buffer<std::uint64_t>(in.size()), shape_of(x));
  const Words to = words(result, "out");
  const prg::Seed key = seed_of(seed);
  const py::gil_scoped_release release;
  (prg::Prg(key, target).*mix)(to, in, first_word);
  return result;
}

py::tuple share(const py::array& x, std::optional<py::array> share0,
                std::optional<py::array> share1, const std::optional<py::bytes>& seed,
                const std::string& target) {
  const ConstWords in = const_words(x, "x");
  const auto output = [&](std::optional<py::array>& given) {
    return given ? *given : to_array(Buffer<std::uint64_t>(in.size()), shape_of(x));
  };
  py::array stream = output(share0), rest = output(share1);
  const Words stream_words = words(stream, "share0"), rest_words = words(rest, "share1");
  const prg::Seed key = seed ? seed_of(*seed) : prg::random_seed();
  {
    const py::gil_scoped_release release;
    prg::Prg(key, target).split(stream_words, rest_words, in);
  }
  return py::make_tuple(stream, rest);
}

template <MixWords mix>
void bind_mix(Kernels& m, const char* name, const char* doc) {
  m.def_static(name, prg_mix<mix>, arg("x").noconvert(), arg("seed"), arg("first_word") = 0,
               arg("out").noconvert() = py::none(), arg("target") = "", doc);
}

}  // namespace

void bind_prg(Kernels& m) {
  bind_mix<&prg::Prg::add>(m, "prg_add", "x + keystream, in one pass.");
  bind_mix<&prg::Prg::subtract>(m, "prg_subtract", "x - keystream, in one pass.");
  bind_mix<&prg::Prg::exclusive_or>(m, "prg_exclusive_or", "x ^ keystream, in one pass.");
  m.def_static("share", share, arg("x").noconvert(), arg("share0").noconvert() = py::none(),
               arg("share1").noconvert() = py::none(), arg("seed") = py::none(), arg("target") = "",
               "Two additive shares of uint64 words, (keystream, x - keystream), in one pass. "
               "Without a seed the key comes from the system's CSPRNG; a seed is for tests.");
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

}  // namespace petcore::bindings
