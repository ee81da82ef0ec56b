// What silent extensions compute without a link: trees, their code, the amount of noise; for tests.
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/blocks.h"
#include "bindings/silent.h"
#include "ot/expand_convolute.h"
#include "ot/half_tree.h"
#include "ot/noise.h"

namespace petcore::bindings {
namespace {

using py::arg;

ot::Forest forest_of(std::size_t trees, unsigned depth, bool correlated) {
  return {trees, depth, correlated ? ot::TreeKind::correlated : ot::TreeKind::pseudorandom};
}

Block only(const py::array& array, const char* name) {
  const Buffer<Block> blocks = copy_blocks(array, name);
  check(blocks.size() == 1, Code::usage, "delta is one block");
  return blocks[0];
}

py::tuple grow(std::size_t trees, unsigned depth, const py::array& delta, const py::array& q,
               const py::array& owned, std::size_t threads) {
  const Buffer<Block> base = copy_blocks(q, "q"), offsets = copy_blocks(owned, "owned");
  const ot::Forest forest = forest_of(trees, depth, offsets.size() == 0);
  Buffer<Block> message(forest.message_blocks()), leaves(trees << depth);
  Pool pool(threads);
  ot::grow({forest, only(delta, "delta"), {}, base.span(), offsets.span()}, message.span(), pool,
           [&](std::size_t tree, std::span<const Block> of) {
             std::copy(of.begin(), of.end(), leaves.data() + (tree << depth));
           });
  return py::make_tuple(block_array(message.span()), block_array(leaves.span()));
}

py::tuple regrow(std::size_t trees, unsigned depth, const py::array& choices, const py::array& t,
                 const py::array& held, const py::array& message, std::size_t threads) {
  const Buffer<Block> base = copy_blocks(t, "t"), offsets = copy_blocks(held, "held"),
                      told = copy_blocks(message, "message");
  const ot::Forest forest = forest_of(trees, depth, offsets.size() == 0);
  Buffer<Block> leaves(trees << depth);
  std::vector<std::size_t> places(trees);
  Pool pool(threads);
  ot::regrow(
      {forest, {}, const_words(choices, "choices"), base.span(), offsets.span(), told.span()}, pool,
      [&](std::size_t tree, std::span<const Block> of, std::size_t place) {
        std::copy(of.begin(), of.end(), leaves.data() + (tree << depth));
        places[tree] = place;
      });
  return py::make_tuple(block_array(leaves.span()), places);
}

py::array compress(const py::array& head, const py::array& tail, std::size_t threads) {
  Buffer<Block> out = copy_blocks(head, "head"), in = copy_blocks(tail, "tail");
  Pool pool(threads);
  const py::gil_scoped_release release;
  ot::compress(out.span(), in.span(), pool);
  const py::gil_scoped_acquire acquire;
  return block_array(out.span());
}

py::tuple compress_pairs(const py::array& head, const py::array& tail) {
  const Buffer<Block> h = copy_blocks(head, "head"), t = copy_blocks(tail, "tail");
  check(h.size() % 2 == 0 && t.size() == h.size(), Code::usage, "two vectors side by side");
  const std::size_t k = h.size() / 2;
  Buffer<Block> a(k), c(k);
  std::copy_n(h.begin(), k, a.begin());
  std::copy_n(h.begin() + k, k, c.begin());
  Buffer<ot::Pair> in(k);
  for (std::size_t i = 0; i < k; ++i) in[i] = {t[i], t[k + i]};
  Pool pool(1);
  ot::compress(a.span(), c.span(), in.span(), pool);
  return py::make_tuple(block_array(a.span()), block_array(c.span()));
}

py::array compress_bits(const py::array& head, const py::array& tail, std::size_t k) {
  const ConstWords h = const_words(head, "head"), t = const_words(tail, "tail");
  Buffer<std::uint64_t> out(h.size()), in(t.size());
  std::copy(h.begin(), h.end(), out.begin());
  std::copy(t.begin(), t.end(), in.begin());
  Pool pool(1);
  ot::compress_bits(out.span(), in.span(), k, pool);
  return to_array(std::move(out));
}

}  // namespace

void bind_trees(py::module_& module) {
  py::class_<SilentScope> m(module, "silent", "What silent extensions compute without a link.");
  m.def_static("grow_trees", grow, arg("trees"), arg("depth"), arg("delta"), arg("q"), arg("owned"),
               arg("threads") = 1,
               "The sender's message and leaves; without `owned` the leaves differ by delta.");
  m.def_static("regrow_trees", regrow, arg("trees"), arg("depth"), arg("choices").noconvert(),
               arg("t"), arg("held"), arg("message"), arg("threads") = 1,
               "The receiver's leaves, and where each tree's differs.");
  m.def_static("compress", compress, arg("head"), arg("tail"), arg("threads") = 1,
               "k blocks of 2k, by the expand-convolute code.");
  m.def_static("compress_pairs", compress_pairs, arg("head"), arg("tail"),
               "Two codewords at once, one after the other in head and tail.");
  m.def_static("compress_bits", compress_bits, arg("head").noconvert(), arg("tail").noconvert(),
               arg("k"));
  m.def_static("noise_for", [](std::size_t n) {
    const ot::NoiseShape shape = ot::noise_for(n);
    return py::make_tuple(shape.trees, shape.depth);
  });
}

}  // namespace petcore::bindings
