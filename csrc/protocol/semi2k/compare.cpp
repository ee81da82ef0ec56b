// Most significant bit, equality with zero and bit decomposition: open x + r for random r with
// shared bits, then compare the public sum with the bits of r (Escudero et al., 2020, section 5).
#include <algorithm>

#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

Request edabits(std::size_t n, unsigned width) {
  return {.kind = Kind::edabit, .units = n, .dims = {width}};
}

Request and_layer(std::size_t n, std::size_t num_ands) {
  return {.kind = Kind::and_gate,
          .units = num_ands * bits::num_words(n),
          .chunk = num_ands * kChunkWords};
}

// One layer of the AND over all slices: slices (2j, 2j+1) become slice j, an odd one moves down.
void and_halves(Env& env, Slices& e, std::size_t slices) {
  const std::size_t ands = slices / 2;
  Buffer<std::uint64_t> c(ands * e.words_in(0));
  const auto produce = [&](std::size_t i, Words own) {
    const std::size_t words = e.words_in(i), all = ands * words;
    env.source.masks({own.first(all), own.subspan(all, all)});
    for (std::size_t j = 0; j < ands; ++j)
      for (std::size_t w = 0; w < words; ++w) {
        own[j * words + w] ^= e.at(i, 2 * j)[w];
        own[all + j * words + w] ^= e.at(i, 2 * j + 1)[w];
      }
    return 2 * all;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const std::size_t words = e.words_in(i), all = ands * words;
    env.source.products({c.span().first(all)});
    for (std::size_t j = 0; j < ands; ++j)
      for (std::size_t w = 0; w < words; ++w) {
        const std::size_t at = j * words + w;
        const std::uint64_t a = e.at(i, 2 * j)[w] ^ own[at];
        const std::uint64_t y = e.at(i, 2 * j + 1)[w];
        e.at(i, j)[w] =
            ((own[at] ^ theirs[at]) & y) ^ ((own[all + at] ^ theirs[all + at]) & a) ^ c[at];
      }
    if (slices % 2 == 1) std::copy_n(e.at(i, slices - 1), words, e.at(i, ands));
  };
  run_exchange(env, other(env.party), {e.num_chunks(), 2 * ands * e.words_in(0), produce, consume});
}

void msb_block(Env& env, Words out, ConstWords x, BitRange range) {
  const unsigned width = range.width - range.drop, leaves = width - 1;
  Plan plan = msb_plan(x.size(), width);
  env.source.plan(env.step, plan);
  Slices g(x.size(), leaves), p(x.size(), leaves);
  open_against_bits(env, x, range, [&](std::size_t i, Words c, Words r) {
    const std::size_t words = g.words_in(i), low = leaves * words;
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c.first(low), r.first(low));
    // The top bit of x is that of c ^ r ^ the borrow into it; c is public.
    for (std::size_t w = 0; w < words; ++w)
      out[i * kChunkWords + w] = r[low + w] ^ (env.party == 0 ? c[low + w] : 0);
  });
  if (leaves > 0) {
    run_layers(env, g, p, reduce_layers(leaves));
    Buffer<std::uint64_t> borrow(out.size());
    g.gather(borrow.span(), 0);
    for (std::size_t w = 0; w < out.size(); ++w) out[w] ^= borrow[w];
  }
  env.source.finish();
}

void equal_zero_block(Env& env, Words out, ConstWords x, unsigned width) {
  Plan plan = equal_zero_plan(x.size(), width);
  env.source.plan(env.step, plan);
  Slices e(x.size(), width);
  open_against_bits(env, x, {.width = width}, [&](std::size_t i, Words c, Words r) {
    const Words slices = e.chunk(i);
    for (std::size_t w = 0; w < slices.size(); ++w) slices[w] = r[w] ^ (env.party == 0 ? ~c[w] : 0);
  });
  for (std::size_t slices = width; slices > 1; slices = (slices + 1) / 2)
    and_halves(env, e, slices);
  e.gather(out, 0);
  env.source.finish();
}

void bits_block(Env& env, Words out, ConstWords x, unsigned width) {
  const unsigned leaves = width - 1;
  Plan plan = bits_plan(x.size(), width);
  env.source.plan(env.step, plan);
  Slices g(x.size(), leaves), p(x.size(), leaves), sum(x.size(), width);
  open_against_bits(env, x, {.width = width}, [&](std::size_t i, Words c, Words r) {
    const std::size_t low = leaves * g.words_in(i);
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c.first(low), r.first(low));
    const Words both = sum.chunk(i);
    for (std::size_t w = 0; w < both.size(); ++w) both[w] = r[w] ^ (env.party == 0 ? c[w] : 0);
  });
  run_layers(env, g, p, prefix_layers(leaves));
  for (std::size_t i = 0; i < sum.num_chunks(); ++i) {
    // Bit j of x is c_j ^ r_j ^ borrow out of the bits below j.
    const Words both = sum.chunk(i), borrow = g.chunk(i);
    const std::size_t words = sum.words_in(i);
    for (std::size_t w = 0; w < borrow.size(); ++w) both[words + w] ^= borrow[w];
    const Range r = chunk_at(i, x.size());
    petcore::bits::from_slices(out.subspan(r.begin, r.size), both, width);
  }
  env.source.finish();
}

unsigned bytes_for(unsigned width) { return (width + 7) / 8; }

}  // namespace

Plan msb_plan(std::size_t n, unsigned width) {
  Plan plan{edabits(n, width)};
  append_layers(plan, n, reduce_layers(width - 1));
  return plan;
}

Plan equal_zero_plan(std::size_t n, unsigned width) {
  Plan plan{edabits(n, width)};
  for (std::size_t slices = width; slices > 1; slices = (slices + 1) / 2)
    plan.push_back(and_layer(n, slices / 2));
  return plan;
}

Plan bits_plan(std::size_t n, unsigned width) {
  Plan plan{edabits(n, width)};
  append_layers(plan, n, prefix_layers(width - 1));
  return plan;
}

std::size_t opened_words(std::size_t n, unsigned width) {
  std::size_t words =
      n / correlation::kChunk * petcore::bits::narrow_words(correlation::kChunk, bytes_for(width));
  return words + petcore::bits::narrow_words(n % correlation::kChunk, bytes_for(width));
}

void open_against_bits(Env& env, ConstWords x, BitRange range,
                       const std::function<void(std::size_t, Words, Words)>& use) {
  const std::size_t n = x.size();
  const unsigned width = range.width - range.drop, num_bytes = bytes_for(width);
  const std::size_t slice_words = width * petcore::bits::num_words(chunk_words(n));
  Buffer<std::uint64_t> sum(chunk_words(n)), c(slice_words), r(slice_words);
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
    const std::size_t size = chunk_at(i, n).size, words = width * petcore::bits::num_words(size);
    const Words c_i = c.span().first(words), r_i = r.span().first(words);
    petcore::bits::widen_sum(sum.span().first(size), own, theirs, num_bytes);
    petcore::bits::to_slices(c_i, sum.span().first(size), width);
    env.source.products({r_i});
    use(i, c_i, r_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), chunk_words(n), produce, consume});
}

void Semi2k::msb(Env& env, Words out, ConstWords x, BitRange range) const {
  check_range(range);
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    msb_block(env, out.subspan(begin / 64, petcore::bits::num_words(size)), x.subspan(begin, size),
              range);
  });
}

void Semi2k::equal_zero(Env& env, Words out, ConstWords x, unsigned width) const {
  check_range({.width = width});
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    equal_zero_block(env, out.subspan(begin / 64, petcore::bits::num_words(size)),
                     x.subspan(begin, size), width);
  });
}

void Semi2k::bits(Env& env, Words out, ConstWords x, unsigned width) const {
  check_range({.width = width});
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    bits_block(env, out.subspan(begin, size), x.subspan(begin, size), width);
  });
}

}  // namespace petcore::protocol::semi2k
