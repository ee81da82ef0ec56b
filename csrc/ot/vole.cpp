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

  const std::size_t k = shape.outputs();
  Buffer<Block> head(k), tail(k), message(forest.message_blocks());
  const Grower grower{forest, delta(), prg::random_seed(), q.span(), owned.span()};
  grow(grower, message.span(), pool_, [&](std::size_t tree, std::span<const Block> leaves) {
    Block* const half = tree < shape.trees / 2 ? head.data() : tail.data();
    Block* const to = half + (tree % (shape.trees / 2)) * leaves.size();
    std::copy(leaves.begin(), leaves.end(), to);
  });
  send_trees(channel_, step, grower.hash_key, forest, message.span());
  compress(head.span(), tail.span(), pool_);
  std::copy_n(head.begin(), b.size(), b.begin());
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
  const std::size_t k = shape.outputs();
  Buffer<Pair> head(k), tail(k);
  const Regrower regrower{forest, hash_key, choices.span(), t.span(), held.span(), message.span()};
  regrow(regrower, pool_, [&](std::size_t tree, std::span<const Block> leaves, std::size_t index) {
    Pair* const half = tree < shape.trees / 2 ? head.data() : tail.data();
    Pair* const to = half + (tree % (shape.trees / 2)) * leaves.size();
    const Block value = values[tree];
    for (std::size_t i = 0; i < leaves.size(); ++i)
      to[i] = {value & mask_of(equal_bit(i, index)), leaves[i]};
  });
  compress(head.span(), tail.span(), pool_);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] = head[i].a, c[i] = head[i].c;
}

}  // namespace petcore::ot
