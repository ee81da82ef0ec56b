#include "ot/half_tree.h"

#include <algorithm>

#include "base/error.h"
#include "hash/crh.h"
#include "ot/tree_hash.h"

namespace petcore::ot {
namespace {

// Parents that go through the hash at a time.
constexpr std::size_t kRun = 64;

// Trees for which a thread allocates the nodes of one.
constexpr std::size_t kTreesAtOnce = 16;

constexpr Block kOne = {1, 0};

// Patch: blocks to add to the nodes at secret places, looked up without an address that tells them.
class Patch {
 public:
  // Patch adds nothing until set.
  Patch() { std::fill(columns_, columns_ + kRun, Block{}); }
  ~Patch() { wipe(columns_, sizeof(columns_)); }
  void set(std::size_t place, Block value) {
    run_ = place / kRun;
    for (std::size_t i = 0; i < kRun; ++i)
      columns_[i] = value & mask_of(equal_bit(i, place % kRun));
  }
  // apply copies the nodes of a run, n of them from the first on, with what is added to them.
  void apply(Block* out, const Block* nodes, std::size_t run, std::size_t n) const {
    const Block here = mask_of(equal_bit(run, run_));
    for (std::size_t i = 0; i < n; ++i) out[i] = nodes[i] ^ (columns_[i] & here);
  }

 private:
  Block columns_[kRun];
  std::uint64_t run_ = 0;
};

// Sums of the nodes of one level by side: of the left and of all.
struct Sums {
  Block left, all;
};

// halve_level turns n nodes into their 2n children: left = H(x), right = x ^ left. It goes from
// the last run to the first, so that children fall on parents that are done.
Sums halve_level(const TreeHash& hash, Block* nodes, std::size_t n, const Patch& patch) {
  Block parents[kRun], left[kRun];
  Sums sums;
  for (std::size_t run = (n + kRun - 1) / kRun; run-- > 0;) {
    const std::size_t first = run * kRun, size = std::min(n - first, kRun);
    patch.apply(parents, nodes + first, run, size);
    hash.hash(left, parents, size);
    for (std::size_t i = 0; i < size; ++i) {
      sums.left ^= left[i];
      sums.all ^= parents[i];
      nodes[2 * (first + i)] = left[i];
      nodes[2 * (first + i) + 1] = parents[i] ^ left[i];
    }
  }
  wipe(parents, sizeof(parents)), wipe(left, sizeof(left));
  return sums;
}

// split_level makes children that no longer add up to their parent: H(x) and H(x ^ 1).
Sums split_level(const TreeHash& hash, Block* nodes, std::size_t n, const Patch& patch) {
  Block parents[kRun], left[kRun], right[kRun];
  Sums sums;
  for (std::size_t run = (n + kRun - 1) / kRun; run-- > 0;) {
    const std::size_t first = run * kRun, size = std::min(n - first, kRun);
    patch.apply(parents, nodes + first, run, size);
    hash.hash(left, parents, size);
    for (std::size_t i = 0; i < size; ++i) parents[i] ^= kOne;
    hash.hash(right, parents, size);
    for (std::size_t i = 0; i < size; ++i) {
      sums.left ^= left[i];
      sums.all ^= left[i] ^ right[i];
      nodes[2 * (first + i)] = left[i];
      nodes[2 * (first + i) + 1] = right[i];
    }
  }
  wipe(parents, sizeof(parents)), wipe(left, sizeof(left)), wipe(right, sizeof(right));
  return sums;
}

// masked_by hashes a transfer under a tweak that only the last levels of trees use.
Block masked_by(Block x, const Forest& forest, std::size_t tree) {
  constexpr std::uint64_t kTrees = 0x7365657274;  // "trees"
  Block out;
  hash::crh(std::as_writable_bytes(std::span(&out, 1)), std::as_bytes(std::span(&x, 1)),
            {kTrees, forest.first_tweak + tree});
  return out;
}

bool splits(const Forest& forest, unsigned level) {
  return forest.kind == TreeKind::pseudorandom && level + 1 == forest.depth;
}

void grow_tree(const Grower& g, const TreeHash& hash, std::size_t tree, Block root, Block* told,
               Block* nodes) {
  const Forest& f = g.forest;
  const Block* q = g.q.data() + tree * f.depth;
  const Patch none;
  nodes[0] = root;
  nodes[1] = root ^ g.delta;
  told[0] = q[0] ^ root;
  for (unsigned level = 1; level < f.depth; ++level) {
    const std::size_t n = std::size_t{1} << level;
    if (!splits(f, level)) {
      told[level] = q[level] ^ halve_level(hash, nodes, n, none).left;
      continue;
    }
    const Sums sums = split_level(hash, nodes, n, none);
    told[level] = masked_by(q[level], f, tree) ^ sums.left;
    told[level + 1] = masked_by(q[level] ^ g.delta, f, tree) ^ sums.left ^ sums.all;
    told[level + 2] = g.owned[tree] ^ sums.all;
  }
}

// Path: where a receiver stands in one tree, and what it knows of the level.
struct Path {
  std::size_t place = 0;  // of the node it does not know, which holds anything
  Block all;              // sum of the level's nodes, that one as it is
  Patch patch;            // not yet added to the level

  // turn takes the sum of the side r that the sender told and repairs the sibling by it.
  void turn(std::uint64_t r, Block told, Sums sums) {
    const Block side = sums.left ^ (sums.all & mask_of(r));
    const Block missing = told ^ side;
    patch.set(2 * place + r, missing);
    place = 2 * place + (1 - r);
    all = sums.all ^ missing;
  }
};

std::uint64_t bit_of(ConstWords bits, std::size_t i) { return (bits[i / 64] >> (i % 64)) & 1; }

void regrow_tree(const Regrower& g, const TreeHash& hash, std::size_t tree, const Block* told,
                 Block* nodes, Path& path) {
  const Forest& f = g.forest;
  const Block* t = g.t.data() + tree * f.depth;
  nodes[0] = nodes[1] = {};
  path.turn(bit_of(g.choices, tree * f.depth), told[0] ^ t[0], {});
  for (unsigned level = 1; level < f.depth; ++level) {
    const std::uint64_t r = bit_of(g.choices, tree * f.depth + level);
    const std::size_t n = std::size_t{1} << level;
    if (!splits(f, level)) {
      const Sums sums = halve_level(hash, nodes, n, path.patch);
      path.turn(r, told[level] ^ t[level], sums);
      continue;
    }
    const Sums sums = split_level(hash, nodes, n, path.patch);
    const Block mine = told[level] ^ ((told[level] ^ told[level + 1]) & mask_of(r));
    path.turn(r, mine ^ masked_by(t[level], f, tree), sums);
    path.all ^= told[level + 2] ^ g.held[tree];
  }
}

// finish adds the last patch, and at the unknown place what makes it the sum of all others.
void finish(Block* nodes, std::size_t n, const Path& path) {
  Patch last;
  last.set(path.place, path.all);
  for (std::size_t run = 0; run * kRun < n; ++run) {
    Block* at = nodes + run * kRun;
    const std::size_t size = std::min(n - run * kRun, kRun);
    path.patch.apply(at, at, run, size);
    last.apply(at, at, run, size);
  }
}

void check_forest(const Forest& f) {
  check(f.trees >= 1 && f.depth >= kTreeDepthMin && f.depth <= kTreeDepthMax, Code::usage,
        "trees: their number or depth is out of bounds");
}

}  // namespace

void grow(const Grower& grower, std::span<Block> message, Pool& pool, const Leaves& leaves) {
  const Forest& f = grower.forest;
  check_forest(f);
  check(grower.q.size() == f.transfers() && message.size() == f.message_blocks(), Code::usage,
        "trees: a vector has the wrong size");
  const TreeHash hash(grower.hash_key);
  Buffer<Block> roots(f.trees);
  prg::random_bytes(std::as_writable_bytes(roots.span()));
  pool.parallel_for(f.trees, kTreesAtOnce, [&](std::size_t begin, std::size_t end) {
    Buffer<Block> nodes(f.leaves());
    for (std::size_t tree = begin; tree < end; ++tree) {
      grow_tree(grower, hash, tree, roots[tree], message.data() + tree * f.told(), nodes.data());
      leaves(tree, nodes.span());
    }
  });
}

void regrow(const Regrower& regrower, Pool& pool, const PuncturedLeaves& leaves) {
  const Forest& f = regrower.forest;
  check_forest(f);
  check(regrower.t.size() == f.transfers() && regrower.message.size() == f.message_blocks() &&
            regrower.choices.size() == (f.transfers() + 63) / 64,
        Code::usage, "trees: a vector has the wrong size");
  const TreeHash hash(regrower.hash_key);
  pool.parallel_for(f.trees, kTreesAtOnce, [&](std::size_t begin, std::size_t end) {
    Buffer<Block> nodes(f.leaves());
    for (std::size_t tree = begin; tree < end; ++tree) {
      Path path;
      regrow_tree(regrower, hash, tree, regrower.message.data() + tree * f.told(), nodes.data(),
                  path);
      finish(nodes.data(), f.leaves(), path);
      leaves(tree, nodes.span(), path.place);
    }
  });
}

}  // namespace petcore::ot
