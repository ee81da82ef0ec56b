#include "protocol/semi2k/tree.h"

#include <algorithm>

#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Layer;
using petcore::bits::Node;
using petcore::bits::num_words;
using petcore::bits::Parts;

// Below so many elements a round takes longer than what it could save.
constexpr std::size_t kFew = std::size_t{1} << 13;

unsigned bytes_for(unsigned width) { return (width + 7) / 8; }

// each_node calls run(node, first slice, resulting slice) for all nodes of all trees.
template <class Run>
void each_node(const Tree& tree, const Layer& layer, const Run& run) {
  for (std::size_t t = 0; t < tree.trees; ++t)
    for (std::size_t j = 0; j < layer.cut().parts(); ++j) {
      const std::size_t base = t * tree.groups();
      run(layer.node(j), base + layer.cut().begin(j), base + j);
    }
}

// slices is a run of slices of one chunk, or nothing where there are none.
Words run_of(Slices& x, std::size_t chunk, std::size_t first, std::size_t count) {
  if (x.empty()) return {};
  const std::size_t words = x.words_in(chunk);
  return x.chunk(chunk).subspan(first * words, count * words);
}

void mask_layer(Pairs& pairs, const Tree& tree, const Layer& layer, std::size_t chunk, Words own) {
  const std::size_t words = pairs.p.words_in(chunk);
  std::size_t at = 0;
  each_node(tree, layer, [&](Node node, std::size_t first, std::size_t) {
    if (node.fan_in == 1) return;
    const std::size_t size = petcore::bits::opened_slices(node.fan_in, node.parts) * words;
    petcore::bits::mask_node(node, own.subspan(at, size),
                             run_of(pairs.g, chunk, first, node.fan_in),
                             run_of(pairs.p, chunk, first, node.fan_in), words);
    at += size;
  });
}

// In place: a node's result lies at or below its lowest pair, and above the results before it.
void close_layer(Pairs& pairs, const Tree& tree, const Layer& layer, std::size_t chunk,
                 ConstWords own, ConstWords theirs, ConstWords dealt) {
  const std::size_t words = pairs.p.words_in(chunk);
  std::size_t at = 0, taken = 0;
  each_node(tree, layer, [&](Node node, std::size_t first, std::size_t result) {
    const Words g = run_of(pairs.g, chunk, first, node.fan_in);
    const Words p = run_of(pairs.p, chunk, first, node.fan_in);
    const Words g_out = run_of(pairs.g, chunk, result, 1);
    const Words p_out = run_of(pairs.p, chunk, result, 1);
    if (node.fan_in == 1) {
      std::copy(g.begin(), g.end(), g_out.begin());
      std::copy(p.begin(), p.end(), p_out.begin());
      return;
    }
    const std::size_t size = petcore::bits::opened_slices(node.fan_in, node.parts) * words;
    const std::size_t num = petcore::bits::dealt_slices(node.fan_in, node.parts) * words;
    petcore::bits::close_node(node, g_out, p_out, g, p, own.subspan(at, size),
                              theirs.subspan(at, size), dealt.subspan(taken, num), words);
    at += size;
    taken += num;
  });
}

}  // namespace

std::vector<Layer> Tree::layers() const {
  std::vector<Layer> out;
  for (std::size_t pairs = groups(); pairs > 1; pairs = out.back().cut().parts())
    out.push_back({pairs, fan_in, parts, trees});
  return out;
}

Tree tree_for(std::size_t n, std::size_t leaves, Parts parts, std::size_t trees) {
  const std::size_t size = n <= kFew ? 4 : 3;
  return {leaves, size, size, parts, trees};
}

void append_tree(std::vector<correlation::Request>& plan, std::size_t n, const Tree& tree) {
  for (const Layer& layer : tree.layers()) plan.push_back(correlation::layer_request(n, layer));
}

void plant(int party, Pairs& pairs, const Tree& tree, std::size_t index, std::size_t chunk,
           ConstWords c, ConstWords dealt) {
  const std::size_t words = pairs.p.words_in(chunk);
  const correlation::Cut cut = tree.grouped(0).cut();
  std::size_t taken = 0;
  for (std::size_t j = 0; j < cut.parts(); ++j) {
    const std::size_t slice = index * cut.parts() + j;
    const std::size_t num = petcore::bits::group_slices(cut.size(j)) * words;
    petcore::bits::compare_group(run_of(pairs.g, chunk, slice, 1), run_of(pairs.p, chunk, slice, 1),
                                 c.subspan(cut.begin(j) * words, cut.size(j) * words),
                                 dealt.subspan(taken, num), words, party == 0, tree.parts);
    taken += num;
  }
}

void run_tree(Env& env, Pairs& pairs, const Tree& tree) {
  for (const Layer& layer : tree.layers()) {
    const std::size_t words_max = pairs.p.words_in(0);
    const std::size_t opened = layer.num_opened(), num_dealt = layer.num_dealt();
    Buffer<std::uint64_t> dealt(num_dealt * words_max);
    const auto produce = [&](std::size_t i, Words own) {
      const Words used = own.first(opened * pairs.p.words_in(i));
      env.source.masks({used});
      mask_layer(pairs, tree, layer, i, used);
      return used.size();
    };
    const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
      const Words dealt_i = dealt.span().first(num_dealt * pairs.p.words_in(i));
      env.source.products({dealt_i});
      close_layer(pairs, tree, layer, i, own, theirs, dealt_i);
    };
    run_exchange(env, other(env.party),
                 {pairs.p.num_chunks(), opened * words_max, produce, consume});
  }
}

void open_grouped(Env& env, ConstWords x, BitRange range, const correlation::Grouped& bits,
                  const std::function<void(std::size_t, Words, Words)>& use) {
  const std::size_t n = x.size(), num_slices = bits.num_slices();
  const unsigned num_bytes = bytes_for(range.width - range.drop);
  Buffer<std::uint64_t> sum(chunk_words(n)), dealt(num_slices * num_words(chunk_words(n)));
  const auto produce = [&](std::size_t i, Words own) {
    const Range at = chunk_at(i, n);
    const Words masked = own.first(at.size);
    const std::size_t words = petcore::bits::narrow_words(at.size, num_bytes);
    env.source.masks({masked});
    if (range.drop == 0) {
      ring::add(masked, masked, x.subspan(at.begin, at.size));
    } else {
      for (std::size_t j = 0; j < at.size; ++j) masked[j] += x[at.begin + j] >> range.drop;
    }
    if (num_bytes < 8) petcore::bits::narrow(own.first(words), masked, num_bytes);
    return words;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Words sum_i = sum.span().first(chunk_at(i, n).size);
    const Words dealt_i = dealt.span().first(num_slices * num_words(sum_i.size()));
    petcore::bits::widen_sum(sum_i, own, theirs, num_bytes);
    env.source.products({dealt_i});
    use(i, sum_i, dealt_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), chunk_words(n), produce, consume});
}

std::size_t opened_words(std::size_t n, unsigned width) {
  const auto of = [&](std::size_t size) {
    return petcore::bits::narrow_words(size, bytes_for(width));
  };
  return n / correlation::kChunk * of(correlation::kChunk) + of(n % correlation::kChunk);
}

}  // namespace petcore::protocol::semi2k
