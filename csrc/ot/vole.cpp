#include "ot/vole.h"

#include <algorithm>

#include "base/error.h"
#include "ot/expand_convolute.h"
#include "ot/field_products.h"
#include "ot/half_tree.h"
#include "ot/noise.h"
#include "ot/tree_message.h"
#include "prg/prg.h"

namespace petcore::ot {
namespace {

// Up to here single products take fewer transfers than the noise of a silent extension.
constexpr std::size_t kDirectMax = kNoiseMin;

void check_size(std::size_t n) {
  check(n >= 1 && n <= kVoleMax, Code::usage, "VOLE: between 1 and 2^24 elements in one go");
}

// Place is where a tree's leaves go. The first half of the trees is the code's systematic part, in
// the outputs themselves; they may end before it does.
struct Place {
  bool in_tail;
  std::size_t first, n;

  Place(std::size_t tree, const NoiseShape& shape, std::size_t outputs) {
    const std::size_t half = shape.trees / 2, leaves = std::size_t{1} << shape.depth;
    in_tail = tree >= half;
    first = (tree % half) * leaves;
    n = in_tail ? leaves : std::min(leaves, outputs - std::min(outputs, first));
  }
};

}  // namespace

VoleSender::VoleSender(net::Channel& channel, CotSender& cot, Pool& pool)
    : channel_(channel), cot_(cot), pool_(pool) {}

void VoleSender::extend(const net::Step& step, std::span<Block> b) {
  check_size(b.size());
  if (b.size() <= kDirectMax) return multiply_as_sender(step, cot_, b);
  const NoiseShape shape = noise_for(b.size());
  const Forest forest{shape.trees, shape.depth, TreeKind::pseudorandom, trees_made_};
  trees_made_ += shape.trees;
  Buffer<Block> owned(shape.trees), q(forest.transfers());
  multiply_as_sender(step, cot_, owned.span());
  cot_.extend(step, q.span());

  Buffer<Block> tail(shape.outputs()), message(forest.message_blocks());
  const Grower grower{forest, delta(), prg::random_seed(), q.span(), owned.span()};
  grow(grower, message.span(), pool_, [&](std::size_t tree, std::span<const Block> leaves) {
    const Place place(tree, shape, b.size());
    if (place.in_tail)
      std::copy(leaves.begin(), leaves.end(), tail.data() + place.first);
    else
      std::copy_n(leaves.begin(), place.n, b.data() + place.first);
  });
  send_trees(channel_, step, grower.hash_key, forest, message.span());
  compress(b, tail.span(), pool_);
}

VoleReceiver::VoleReceiver(net::Channel& channel, CotReceiver& cot, Pool& pool)
    : channel_(channel), cot_(cot), pool_(pool) {}

void VoleReceiver::extend(const net::Step& step, std::span<Block> a, std::span<Block> c) {
  check_size(a.size());
  check(a.size() == c.size(), Code::usage, "VOLE: a and c have different sizes");
  if (a.size() <= kDirectMax) return multiply_as_receiver(step, cot_, a, c);
  const NoiseShape shape = noise_for(a.size());
  const Forest forest{shape.trees, shape.depth, TreeKind::pseudorandom, trees_made_};
  trees_made_ += shape.trees;
  Buffer<Block> values(shape.trees), held(shape.trees), t(forest.transfers());
  multiply_as_receiver(step, cot_, values.span(), held.span());
  const Buffer<std::uint64_t> choices = random_choices(forest.transfers());
  cot_.extend(step, choices.span(), t.span());

  Buffer<Block> message(forest.message_blocks());
  const prg::Seed hash_key = recv_trees(channel_, step, forest, message.span());
  Buffer<Pair> tail(shape.outputs());
  const Regrower regrower{forest, hash_key, choices.span(), t.span(), held.span(), message.span()};
  regrow(regrower, pool_, [&](std::size_t tree, std::span<const Block> leaves, std::size_t index) {
    const Place place(tree, shape, a.size());
    const Block value = values[tree];
    for (std::size_t i = 0; i < place.n; ++i) {
      const Block noise = value & mask_of(equal_bit(i, index));
      if (place.in_tail)
        tail[place.first + i] = {noise, leaves[i]};
      else
        a[place.first + i] = noise, c[place.first + i] = leaves[i];
    }
  });
  compress(a, c, tail.span(), pool_);
}

}  // namespace petcore::ot
