// Tree: whether a public number is less than a shared one, or equal, for many elements at once.
// Groups of bits first, without a round (the dealer shares products of the bits of r), then a
// round for each layer of nodes; see bits/gates.h and correlation/trees.h.
#pragma once

#include <vector>

#include "correlation/trees.h"
#include "protocol/semi2k/slices.h"

namespace petcore::protocol::semi2k {

struct Tree {
  std::size_t leaves;  // bits that are compared, the lowest first
  std::size_t group, fan_in;
  petcore::bits::Parts parts;
  std::size_t trees = 1;  // so many public numbers against the same shared one, in the same rounds

  correlation::Grouped grouped(std::size_t singles) const { return {leaves, group, singles}; }
  std::size_t groups() const { return grouped(0).cut().parts(); }
  // Pair j of tree t is slice t * groups() + j.
  std::size_t num_slices() const { return trees * groups(); }
  std::vector<correlation::Layer> layers() const;
};

// tree_for chooses the shape. A few elements cost rounds: larger groups and nodes mean fewer of
// them. Many elements cost bytes, of which the smaller ones have fewer.
Tree tree_for(std::size_t n, std::size_t leaves, petcore::bits::Parts parts, std::size_t trees = 1);

// append_tree adds the requests of the layers to a plan.
void append_tree(std::vector<correlation::Request>& plan, std::size_t n, const Tree& tree);

// Pairs is the state of all trees: g (empty where only equality is asked) and p.
struct Pairs {
  Pairs(std::size_t n, const Tree& tree)
      : g(n, tree.parts == petcore::bits::Parts::equal ? 0 : tree.num_slices()),
        p(n, tree.num_slices()) {}
  Slices g, p;
};

// plant fills the groups of one tree in one chunk, from the slices of c and what was dealt of r.
void plant(int party, Pairs& pairs, const Tree& tree, std::size_t index, std::size_t chunk,
           ConstWords c, ConstWords dealt);
// run_tree leaves the results in the first pair of each tree.
void run_tree(Env& env, Pairs& pairs, const Tree& tree);

// open_grouped opens x + r, where x is first shifted right by range.drop and then taken mod
// 2^width, width = range.width - range.drop. Each chunk's sums and what was dealt of r, as `bits`
// says, go to `use`. Of the sums only the lowest `width` bits mean anything.
void open_grouped(Env& env, ConstWords x, BitRange range, const correlation::Grouped& bits,
                  const std::function<void(std::size_t chunk, Words sum, Words dealt)>& use);
// opened_words is what that sends.
std::size_t opened_words(std::size_t n, unsigned width);

}  // namespace petcore::protocol::semi2k
