#include <algorithm>
#include <functional>

#include "bits/bits.h"
#include "bits/gates.h"
#include "correlation/ot_bits.h"
#include "correlation/trees.h"

namespace petcore::correlation {
namespace {

// One node of a layer, whose masks are a of every pair but the lowest, from the highest down, then
// b of every pair but the highest, from the highest down, then q (bits/gates.h).
struct NodeMasks {
  bits::Node node;
  std::uint64_t *masks, *dealt;
  std::size_t words;
  Buffer<std::uint64_t> a;  // products of subsets of a, at their bit sets

  std::size_t subsets() const { return std::size_t{1} << (node.fan_in - 1); }
  std::uint64_t* product(std::size_t set) { return a.data() + set * words; }
  const std::uint64_t* b(std::size_t pair) const {
    return masks + (2 * node.fan_in - 3 - pair) * words;
  }
  const std::uint64_t* q() const {
    return masks +
           (node.parts == bits::Parts::equal ? node.fan_in - 1 : 2 * node.fan_in - 2) * words;
  }
};

// add_subsets asks for the products of `first` with every product of bits below it.
void add_subsets(Ands& ands, const std::uint64_t* x, std::size_t bit,
                 const std::function<std::uint64_t*(std::size_t)>& product) {
  std::vector<const std::uint64_t*> y;
  std::vector<std::uint64_t*> outs;
  for (std::size_t set = 1; set < bit; ++set) {
    y.push_back(product(set));
    outs.push_back(product(set | bit));
  }
  if (!y.empty()) ands.add(x, std::move(y), std::move(outs));
}

void close_dealt(Ands& ands, NodeMasks& node) {
  std::uint64_t* to = node.dealt;
  const std::size_t subsets = node.subsets();
  for (std::size_t set = 3; set < subsets; ++set) {
    if ((set & (set - 1)) == 0) continue;
    std::copy_n(node.product(set), node.words, to);
    to += node.words;
  }
  const auto times = [&](const std::uint64_t* x, std::size_t step) {
    std::vector<const std::uint64_t*> y;
    std::vector<std::uint64_t*> outs;
    for (std::size_t set = step; set < subsets; set += step, to += node.words) {
      y.push_back(node.product(set));
      outs.push_back(to);
    }
    ands.add(x, std::move(y), std::move(outs));
  };
  if (node.node.fan_in == 2) {  // one choice for both
    std::vector<const std::uint64_t*> y;
    if (node.node.parts != bits::Parts::equal) y.push_back(node.b(0));
    if (node.node.parts != bits::Parts::less) y.push_back(node.q());
    std::vector<std::uint64_t*> outs{to};
    if (y.size() == 2) outs.push_back(to + node.words);
    return ands.add(node.product(1), std::move(y), std::move(outs));
  }
  if (node.node.parts != bits::Parts::equal)
    for (std::size_t i = 0; i + 1 < node.node.fan_in; ++i) times(node.b(i), std::size_t{1} << i);
  if (node.node.parts != bits::Parts::less) times(node.q(), 1);
}

std::vector<NodeMasks> nodes_of(const Layer& layer, Chunk& chunk) {
  const std::size_t words = chunk.masks[0].size() / layer.num_opened();
  std::uint64_t *masks = chunk.masks[0].data(), *dealt = chunk.products[0].data();
  std::vector<NodeMasks> nodes;
  for (std::size_t i = 0; i < layer.trees * layer.cut().parts(); ++i) {
    const bits::Node node = layer.node(i % layer.cut().parts());
    if (node.fan_in == 1) continue;
    nodes.push_back({node, masks, dealt, words, Buffer<std::uint64_t>(words << (node.fan_in - 1))});
    for (std::size_t pair = 1; pair < node.fan_in; ++pair)
      std::copy_n(masks + (node.fan_in - 1 - pair) * words, words,
                  nodes.back().product(std::size_t{1} << (pair - 1)));
    masks += bits::opened_slices(node.fan_in, node.parts) * words;
    dealt += bits::dealt_slices(node.fan_in, node.parts) * words;
  }
  return nodes;
}

}  // namespace

void make_layer(Making& making, const Request& request, Chunk& chunk) {
  const Layer layer = layer_of(request);
  std::vector<NodeMasks> nodes = nodes_of(layer, chunk);
  Ands ands(chunk.masks[0].size() / layer.num_opened());
  for (std::size_t bit = 2; bit < std::size_t{1} << (bits::kFanInMax - 1); bit *= 2) {
    for (NodeMasks& node : nodes)
      if (bit < node.subsets())
        add_subsets(ands, node.product(bit), bit,
                    [&](std::size_t set) { return node.product(set); });
    ands.run(making);
  }
  for (NodeMasks& node : nodes) close_dealt(ands, node);
  ands.run(making);
}

void make_grouped(Making& making, const Request& request, std::uint64_t units, Chunk& chunk) {
  const Grouped grouped = grouped_of(request);
  const std::size_t words = bits::num_words(units), width = grouped.leaves + grouped.singles;
  const Words dealt = chunk.products[0].span(), b = chunk.masks[0].span();
  // As deal_grouped: the bits go to the end first, no group is written beyond its own bits.
  const Words slices = dealt.subspan((grouped.num_slices() - width) * words);
  bits::to_slices(slices, b, static_cast<unsigned>(width));
  std::vector<std::uint64_t*> groups;
  std::size_t to = 0;
  for (std::size_t i = 0; i < grouped.cut().parts(); ++i) {
    std::uint64_t* group = groups.emplace_back(dealt.data() + to * words);
    const std::size_t size = grouped.cut().size(i);
    Buffer<std::uint64_t> own(size * words);
    std::copy_n(slices.data() + grouped.cut().begin(i) * words, own.size(), own.begin());
    for (std::size_t bit = 0; bit < size; ++bit)
      std::copy_n(own.data() + bit * words, words, group + ((std::size_t{1} << bit) - 1) * words);
    to += bits::group_slices(size);
  }
  Ands ands(words);
  for (std::size_t bit = 2; bit < std::size_t{1} << bits::kGroupMax; bit *= 2) {
    for (std::size_t i = 0; i < groups.size(); ++i) {
      const auto slice = [&](std::size_t set) { return groups[i] + (set - 1) * words; };
      if (bit < std::size_t{1} << grouped.cut().size(i)) add_subsets(ands, slice(bit), bit, slice);
    }
    ands.run(making);
  }
  word_from_bits(making, b, static_cast<unsigned>(width));
}

}  // namespace petcore::correlation
