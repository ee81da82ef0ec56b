#include "correlation/trees.h"

#include "bits/bits.h"

namespace petcore::correlation {
namespace {

// One slice of this many elements is a unit of a layer, and so many units are a chunk.
constexpr std::uint64_t kSliceBits = 64;
// Bounds what a dealer holds at once.
constexpr std::uint64_t kPairsMax = 512;

template <class Count>
std::size_t sum_nodes(const Layer& layer, const Count& count) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < layer.cut().parts(); ++i) {
    const bits::Node node = layer.node(i);
    total += count(node.fan_in, node.parts);
  }
  return layer.trees * total;
}

}  // namespace

std::size_t Grouped::num_slices() const {
  std::size_t total = singles;
  for (std::size_t i = 0; i < cut().parts(); ++i) total += bits::group_slices(cut().size(i));
  return total;
}

Request edabits_request(std::size_t n, Grouped bits) {
  return {.kind = Kind::edabit, .units = n, .dims = {bits.leaves, bits.group, bits.singles}};
}

Grouped grouped_of(const Request& request) {
  const auto& d = request.dims;
  return {d[0], d[1], d[2]};
}

bits::Node Layer::node(std::size_t index) const {
  const bool keeps = parts != bits::Parts::less || index == 0;
  return {static_cast<unsigned>(cut().size(index)), keeps ? parts : bits::Parts::both};
}

std::size_t Layer::num_opened() const { return sum_nodes(*this, bits::opened_slices); }

std::size_t Layer::num_dealt() const { return sum_nodes(*this, bits::dealt_slices); }

Request layer_request(std::size_t n, Layer layer) {
  return {
      .kind = Kind::tree_layer,
      .units = bits::num_words(n),
      .chunk = kChunk / kSliceBits,
      .dims = {layer.pairs, layer.fan_in, static_cast<std::uint64_t>(layer.parts), layer.trees}};
}

Layer layer_of(const Request& request) {
  const auto& d = request.dims;
  return {d[0], d[1], static_cast<bits::Parts>(d[2]), d[3]};
}

void check_grouped(const Request& request) {
  const Grouped bits = grouped_of(request);
  check(bits.leaves <= 64 && bits.singles <= 64 - bits.leaves && bits.leaves + bits.singles >= 1 &&
            bits.group >= 1 && bits.group <= bits::kGroupMax,
        Code::frame, "a correlation request for more bits than a word or a group has");
}

void check_layer(const Request& request) {
  const auto& d = request.dims;
  check(d[0] >= 2 && d[0] <= 64 && d[1] >= 2 && d[1] <= bits::kFanInMax &&
            d[2] <= bits::kLastParts && d[3] >= 1 && d[3] <= kPairsMax / d[0] &&
            request.chunk <= kChunk / kSliceBits,
        Code::frame, "a correlation request for a layer that no tree has");
}

void deal_grouped(Grouped bits, Words dealt, ConstWords r) {
  const std::size_t words = bits::num_words(r.size());
  const std::size_t width = bits.leaves + bits.singles;
  // The bits go to the end of the output first: no group is written beyond its own bits.
  const Words slices = dealt.subspan((bits.num_slices() - width) * words);
  bits::to_slices(slices, r, static_cast<unsigned>(width));
  std::size_t to = 0;
  for (std::size_t i = 0; i < bits.cut().parts(); ++i) {
    const std::size_t size = bits.cut().size(i), num = bits::group_slices(size);
    bits::deal_group(dealt.subspan(to, num * words),
                     slices.subspan(bits.cut().begin(i) * words, size * words), words);
    to += num * words;
  }
}

void deal_layer(Layer layer, Words dealt, ConstWords masks) {
  const std::size_t words = masks.size() / layer.num_opened();
  std::size_t from = 0, to = 0;
  for (std::size_t i = 0; i < layer.trees * layer.cut().parts(); ++i) {
    const bits::Node node = layer.node(i % layer.cut().parts());
    if (node.fan_in == 1) continue;
    const std::size_t opened = bits::opened_slices(node.fan_in, node.parts) * words;
    const std::size_t num = bits::dealt_slices(node.fan_in, node.parts) * words;
    bits::deal_node(node, dealt.subspan(to, num), masks.subspan(from, opened), words);
    from += opened;
    to += num;
  }
}

}  // namespace petcore::correlation
