// The local kernels of oblivious transfer, for tests that hold every target to the portable one.
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "base/error.h"
#include "bindings/arrays.h"
#include "bindings/bindings.h"
#include "bindings/blocks.h"
#include "group/sha256_pair.h"
#include "hash/crh.h"
#include "ot/extension.h"
#include "ot/ot_kernels.h"
#include "prg/bundle.h"

namespace petcore::bindings {
namespace {

using py::arg;

py::array turn(const py::array& rows, std::size_t n, const std::string& target) {
  const ConstWords in = const_words(rows, "rows");
  const std::size_t stride = in.size() / 128;
  check(in.size() % 256 == 0 && (n + 127) / 128 * 2 <= stride, Code::usage,
        "128 rows of whole blocks, at least n bits long");
  Buffer<Block> out(n);
  ot::choose(target).turn(out.data(), in.data(), stride, n);
  return block_array(out.span());
}

py::tuple send_words(const py::array& w, const py::array& x, const py::array& y,
                     const std::string& target) {
  const ConstWords own = const_words(w, "w"), px = const_words(x, "x"), py_ = const_words(y, "y");
  const std::size_t n = own.size();
  check(px.size() == 64 * n && py_.size() == 64 * n, Code::usage, "64 pads for each number");
  Buffer<std::uint64_t> share(n), wire(n * ot::kGilboaWords + (n + 1) / 2);
  for (std::uint64_t& word : share) word = 0;
  wire[wire.size() - 1] = 0;
  auto* halves = reinterpret_cast<std::uint32_t*>(wire.data() + n * ot::kGilboaWords);
  ot::choose(target).send_words({n, 1}, share.data(), own.data(), px.data(), py_.data(),
                                {wire.data(), halves});
  return py::make_tuple(to_array(std::move(share)), to_array(std::move(wire)));
}

py::array take_words(const py::array& c, const py::array& pads, const py::array& wire,
                     const std::string& target) {
  const ConstWords own = const_words(c, "c"), pad = const_words(pads, "pads");
  const ConstWords from = const_words(wire, "wire");
  const std::size_t n = own.size();
  check(pad.size() == 64 * n && from.size() == n * ot::kGilboaWords + (n + 1) / 2, Code::usage,
        "64 pads and 260 bytes for each number");
  Buffer<std::uint64_t> share(n);
  for (std::uint64_t& word : share) word = 0;
  const auto* halves = reinterpret_cast<const std::uint32_t*>(from.data() + n * ot::kGilboaWords);
  ot::choose(target).take_words({n, 1}, share.data(), own.data(), pad.data(),
                                {from.data(), halves});
  return to_array(std::move(share));
}

py::array fold(const std::vector<std::string>& seeds, bool skip_first, std::size_t num_blocks,
               std::uint64_t first_block, const std::string& target) {
  std::vector<prg::Seed> keys(seeds.size());
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    check(seeds[i].size() == keys[i].size(), Code::usage, "a seed has 16 bytes");
    std::memcpy(keys[i].data(), seeds[i].data(), keys[i].size());
  }
  const prg::Bundle bundle(keys, skip_first, target);
  const std::size_t row = 16 * num_blocks;
  Buffer<std::uint64_t> out(2 * num_blocks * (bundle.num_bits() + 1));
  const Bytes bytes = std::as_writable_bytes(out.span());
  bundle.fold(bytes.first(row), bytes.subspan(row), row, num_blocks, first_block);
  return to_array(std::move(out));
}

py::array crh_low_words(const py::array& blocks, const py::array& offset, std::uint64_t high,
                        std::uint64_t low, const std::string& target) {
  const Buffer<Block> in = copy_blocks(blocks, "blocks"), shift = copy_blocks(offset, "offset");
  check(shift.size() == 1, Code::usage, "one block as offset");
  Buffer<std::uint64_t> out(in.size());
  hash::crh_low_words(out.span(), in.span(), shift[0], {high, low}, target);
  return to_array(std::move(out));
}

py::tuple sha256_pair(const py::bytes& x, const py::bytes& y, const std::string& target) {
  const auto bytes = [](const std::string_view& text) {
    return std::as_bytes(std::span(text.data(), text.size()));
  };
  const auto both = group::sha256_pair(bytes(x), bytes(y), target);
  const auto result = [](const group::Digest& digest) {
    return py::bytes(reinterpret_cast<const char*>(digest.data()), digest.size());
  };
  return py::make_tuple(result(both[0]), result(both[1]));
}

}  // namespace

void bind_ot_kernels(Kernels& m) {
  m.def_static("ot_targets", &ot::targets, "The targets of oblivious transfer, widest first.");
  m.def_static("ot_turn", &turn, arg("rows").noconvert(), arg("n"), arg("target") = "",
               "The first n columns of 128 rows of bits, as blocks.");
  m.def_static("ot_send_words", &send_words, arg("w").noconvert(), arg("x").noconvert(),
               arg("y").noconvert(), arg("target") = "",
               "The sender's shares of products and what it sends.");
  m.def_static("ot_take_words", &take_words, arg("c").noconvert(), arg("pads").noconvert(),
               arg("wire").noconvert(), arg("target") = "", "The receiver's shares.");
  m.def_static("prg_fold", &fold, arg("seeds"), arg("skip_first"), arg("num_blocks"),
               arg("first_block") = 0, arg("target") = "",
               "The sum of all streams, then for each bit that of the streams numbered with it.");
  m.def_static("crh_low_words", &crh_low_words, arg("blocks").noconvert(),
               arg("offset").noconvert(), arg("high"), arg("low"), arg("target") = "",
               "The low words of the hashes of blocks ^ offset.");
  m.def_static("sha256_pair", &sha256_pair, arg("x"), arg("y"), arg("target") = "",
               "SHA-256 of two messages of one length.");
  m.def_static("sha256_targets", &group::sha256_targets);
}

}  // namespace petcore::bindings
