// Trees: how a comparison of a public number with a shared one is laid out. Its leaves, bits of the
// numbers, form groups that cost no round; layers of nodes then fold the groups, one round each
// (bits/gates.h). The dealer and the parties cut in the same way.
#pragma once

#include <array>
#include <cstdint>

#include "bits/gates.h"
#include "correlation/request.h"

namespace petcore::correlation {

// Cut: `whole` things in as few parts of at most `most` as possible, of even sizes.
struct Cut {
  std::size_t whole, most;

  std::size_t parts() const { return (whole + most - 1) / most; }
  std::size_t begin(std::size_t part) const { return whole * part / parts(); }
  std::size_t size(std::size_t part) const { return begin(part + 1) - begin(part); }
};

// Grouped: the bits of a number whose products are dealt group by group, then `singles` more bits.
struct Grouped {
  std::size_t leaves, group, singles;

  Cut cut() const { return {leaves, group}; }
  std::size_t num_slices() const;
};
// edabits_request asks for grouped bits of n random numbers; grouped_of is what it stands for.
Request edabits_request(std::size_t n, Grouped bits);
Grouped grouped_of(const Request& request);

// Layer: `pairs` of each of `trees` trees go into nodes. Only the lowest node of a tree may leave
// out a p.
struct Layer {
  std::size_t pairs, fan_in;
  bits::Parts parts;
  std::size_t trees = 1;

  Cut cut() const { return {pairs, fan_in}; }
  bits::Node node(std::size_t index) const;
  std::size_t num_opened() const;  // slices, of all nodes of all trees
  std::size_t num_dealt() const;
};
Request layer_request(std::size_t n, Layer layer);
Layer layer_of(const Request& request);

// Both raise Code::frame where a peer asks for what no protocol needs.
void check_grouped(const Request& request);
void check_layer(const Request& request);

// The relations, in clear, chunk by chunk: r holds words, the masks slices.
void deal_grouped(Grouped bits, Words dealt, ConstWords r);
void deal_layer(Layer layer, Words dealt, ConstWords masks);

}  // namespace petcore::correlation
