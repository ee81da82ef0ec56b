// Most significant bit, equality with zero and bit decomposition: open x + r for random r with
// shared bits, then compare the public sum with the bits of r (Escudero et al., 2020, section 5).
#include <algorithm>

#include "bits/flags.h"
#include "protocol/semi2k/leaves.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using petcore::bits::num_words;
using petcore::bits::Parts;

Tree sign_tree(std::size_t n, unsigned width) { return tree_for(n, width - 1, Parts::less); }

void msb_block(Env& env, const Setting& setting, Words out, ConstWords x, BitRange range) {
  Plan plan = msb_plan(setting, x.size(), range.width - range.drop);
  env.source.plan(env.step, plan);
  planned_msb(env, setting, out, x, range);
  env.source.finish();
}

// The top bit of a sum is that of the shares and the carry from below: which comes where the low
// bits of party 0's share are greater than those of the complement of party 1's.
void own_msb(Env& env, Words out, ConstWords x, BitRange range) {
  const unsigned low = range.width - range.drop - 1;
  const std::uint64_t turn = env.party == 0 ? 0 : ~std::uint64_t{0};
  Buffer<std::uint64_t> own(x.size()), carry(low > 0 ? out.size() : 0);
  ring::shift_left(own.span(), x, 64 - range.width);
  petcore::bits::top_flags(out, own.span(), 0);
  if (low == 0) return;
  for (std::size_t j = 0; j < x.size(); ++j) own[j] = (x[j] >> range.drop) ^ turn;
  compare_own(env, carry.span(), own.span(), low, Parts::less);
  petcore::bits::exclusive_or(out, out, carry.span());
}

// A sum is zero where one share is the other's negative.
void own_equal_zero(Env& env, Words out, ConstWords x, unsigned width) {
  Buffer<std::uint64_t> negative(env.party == 0 ? 0 : x.size());
  if (env.party != 0) ring::neg(negative.span(), x);
  compare_own(env, out, env.party == 0 ? x : negative.span(), width, Parts::equal);
}

void equal_zero_block(Env& env, const Setting& setting, Words out, ConstWords x, unsigned width) {
  Plan plan = equal_zero_plan(setting, x.size(), width);
  env.source.plan(env.step, plan);
  if (!setting.dealt) {
    own_equal_zero(env, out, x, width);
    return env.source.finish();
  }
  const Tree tree = tree_for(x.size(), width, Parts::equal);
  Pairs pairs(x.size(), tree);
  Buffer<std::uint64_t> c(width * num_words(chunk_words(x.size())));
  open_grouped(env, x, {.width = width}, tree.grouped(0),
               [&](std::size_t i, Words sum, Words dealt) {
                 const Words c_i = c.span().first(width * num_words(sum.size()));
                 petcore::bits::to_slices(c_i, sum, width);
                 plant(env.party, pairs, tree, 0, i, c_i, dealt);
               });
  run_tree(env, pairs, tree);
  pairs.p.gather(out, 0);
  env.source.finish();
}

correlation::Grouped plain_bits(unsigned width) { return {0, 1, width}; }

void bits_block(Env& env, const Setting& setting, Words out, ConstWords x, unsigned width) {
  const unsigned leaves = width - 1;
  Plan plan = bits_plan(setting, x.size(), width);
  env.source.plan(env.step, plan);
  Slices g(x.size(), leaves), p(x.size(), leaves), both(x.size(), width);
  open_grouped(env, x, {.width = width}, plain_bits(width), [&](std::size_t i, Words sum, Words r) {
    const std::size_t low = leaves * g.words_in(i);
    const Words c = both.chunk(i);
    petcore::bits::to_slices(c, sum, width);
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c.first(low), r.first(low));
    if (env.party == 0) return petcore::bits::exclusive_or(c, c, r);
    std::copy(r.begin(), r.end(), c.begin());
  });
  run_layers(env, g, p, prefix_layers(leaves));
  for (std::size_t i = 0; i < both.num_chunks(); ++i) {
    // Bit j of x is c_j ^ r_j ^ borrow out of the bits below j.
    const Words sum = both.chunk(i), above = sum.subspan(both.words_in(i));
    petcore::bits::exclusive_or(above, above, g.chunk(i));
    const Range r = chunk_at(i, x.size());
    petcore::bits::from_slices(out.subspan(r.begin, r.size), sum, width);
  }
  env.source.finish();
}

}  // namespace

Plan msb_plan(const Setting& setting, std::size_t n, unsigned width) {
  if (!setting.dealt) return width == 1 ? Plan{} : compare_own_plan(n, width - 1, Parts::less);
  const Tree tree = sign_tree(n, width);
  Plan plan{correlation::edabits_request(n, tree.grouped(1))};
  append_tree(plan, n, tree);
  return plan;
}

Plan equal_zero_plan(const Setting& setting, std::size_t n, unsigned width) {
  if (!setting.dealt) return compare_own_plan(n, width, Parts::equal);
  const Tree tree = tree_for(n, width, Parts::equal);
  Plan plan{correlation::edabits_request(n, tree.grouped(0))};
  append_tree(plan, n, tree);
  return plan;
}

Plan bits_plan(const Setting&, std::size_t n, unsigned width) {
  Plan plan{correlation::edabits_request(n, plain_bits(width))};
  append_layers(plan, n, prefix_layers(width - 1));
  return plan;
}

void planned_msb(Env& env, const Setting& setting, Words out, ConstWords x, BitRange range) {
  if (!setting.dealt) return own_msb(env, out, x, range);
  const unsigned width = range.width - range.drop;
  const Tree tree = sign_tree(x.size(), width);
  const correlation::Grouped grouped = tree.grouped(1);
  Pairs pairs(x.size(), tree);
  Buffer<std::uint64_t> c(width * num_words(chunk_words(x.size())));
  open_grouped(env, x, range, grouped, [&](std::size_t i, Words sum, Words dealt) {
    const std::size_t words = num_words(sum.size());
    const Words c_i = c.span().first(width * words), top = out.subspan(i * kChunkWords, words);
    petcore::bits::to_slices(c_i, sum, width);
    plant(env.party, pairs, tree, 0, i, c_i, dealt);
    // The top bit of x is that of c ^ r ^ the borrow into it; c is public.
    const ConstWords c_top = c_i.last(words), r_top = dealt.last(words);
    if (env.party == 0) return petcore::bits::exclusive_or(top, c_top, r_top);
    std::copy(r_top.begin(), r_top.end(), top.begin());
  });
  if (tree.leaves > 0) {
    run_tree(env, pairs, tree);
    Buffer<std::uint64_t> borrow(out.size());
    pairs.g.gather(borrow.span(), 0);
    petcore::bits::exclusive_or(out, out, borrow.span());
  }
}

void Semi2k::msb(Env& env, Words out, ConstWords x, BitRange range) const {
  check_range(range);
  const auto run = [&](std::size_t begin, std::size_t size) {
    msb_block(env, setting_, out.subspan(begin / 64, petcore::bits::num_words(size)),
              x.subspan(begin, size), range);
  };
  for_each_block(x.size(), run, block_of(setting_));
}

void Semi2k::equal_zero(Env& env, Words out, ConstWords x, unsigned width) const {
  check_range({.width = width});
  const auto run = [&](std::size_t begin, std::size_t size) {
    equal_zero_block(env, setting_, out.subspan(begin / 64, petcore::bits::num_words(size)),
                     x.subspan(begin, size), width);
  };
  for_each_block(x.size(), run, block_of(setting_));
}

void Semi2k::bits(Env& env, Words out, ConstWords x, unsigned width) const {
  check_range({.width = width});
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    bits_block(env, setting_, out.subspan(begin, size), x.subspan(begin, size), width);
  });
}

}  // namespace petcore::protocol::semi2k
