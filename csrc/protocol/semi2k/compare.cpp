// Most significant bit, equality with zero and bit decomposition: open x + r for random r with
// shared bits, then compare the public sum with the bits of r (Escudero et al., 2020, section 5).
#include <algorithm>

#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Kind;
using correlation::Request;

Request edabits(std::size_t n) { return {.kind = Kind::edabit, .units = n}; }

Request and_layer(std::size_t n, std::size_t num_ands) {
  return {.kind = Kind::and_gate,
          .units = num_ands * bits::num_words(n),
          .chunk = num_ands * kChunkWords};
}

// One layer of the AND over all slices: slices (2j, 2j+1) become slice j.
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
  };
  run_exchange(env, other(env.party), {e.num_chunks(), 2 * ands * e.words_in(0), produce, consume});
}

void msb_block(Env& env, Words out, ConstWords x) {
  Plan plan = msb_plan(x.size());
  env.source.plan(env.step, plan);
  Slices g(x.size(), 63), p(x.size(), 63);
  open_against_bits(env, x, [&](std::size_t i, Words c, Words r) {
    const std::size_t words = g.words_in(i), low = 63 * words;
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c.first(low), r.first(low));
    // msb(x) = msb(c) ^ msb(r) ^ borrow into bit 63; msb(c) is public.
    for (std::size_t w = 0; w < words; ++w)
      out[i * kChunkWords + w] = r[low + w] ^ (env.party == 0 ? c[low + w] : 0);
  });
  run_layers(env, g, p, reduce_layers(63));
  Buffer<std::uint64_t> borrow(out.size());
  g.gather(borrow.span(), 0);
  for (std::size_t w = 0; w < out.size(); ++w) out[w] ^= borrow[w];
  env.source.finish();
}

void equal_zero_block(Env& env, Words out, ConstWords x) {
  Plan plan = equal_zero_plan(x.size());
  env.source.plan(env.step, plan);
  Slices e(x.size(), 64);
  open_against_bits(env, x, [&](std::size_t i, Words c, Words r) {
    const Words slices = e.chunk(i);
    for (std::size_t w = 0; w < slices.size(); ++w) slices[w] = r[w] ^ (env.party == 0 ? ~c[w] : 0);
  });
  for (std::size_t slices = 64; slices > 1; slices /= 2) and_halves(env, e, slices);
  e.gather(out, 0);
  env.source.finish();
}

void bits_block(Env& env, Words out, ConstWords x) {
  Plan plan = bits_plan(x.size());
  env.source.plan(env.step, plan);
  Slices g(x.size(), 63), p(x.size(), 63), sum(x.size(), 64);
  open_against_bits(env, x, [&](std::size_t i, Words c, Words r) {
    const std::size_t low = 63 * g.words_in(i);
    borrow_leaves(env.party, g.chunk(i), p.chunk(i), c.first(low), r.first(low));
    const Words both = sum.chunk(i);
    for (std::size_t w = 0; w < both.size(); ++w) both[w] = r[w] ^ (env.party == 0 ? c[w] : 0);
  });
  run_layers(env, g, p, prefix_layers(63));
  for (std::size_t i = 0; i < sum.num_chunks(); ++i) {
    // Bit j of x is c_j ^ r_j ^ borrow out of the bits below j.
    const Words both = sum.chunk(i), borrow = g.chunk(i);
    const std::size_t words = sum.words_in(i);
    for (std::size_t w = 0; w < borrow.size(); ++w) both[words + w] ^= borrow[w];
    const Range r = chunk_at(i, x.size());
    petcore::bits::from_slices(out.subspan(r.begin, r.size), both);
  }
  env.source.finish();
}

}  // namespace

Plan msb_plan(std::size_t n) {
  Plan plan{edabits(n)};
  append_layers(plan, n, reduce_layers(63));
  return plan;
}

Plan equal_zero_plan(std::size_t n) {
  Plan plan{edabits(n)};
  for (std::size_t slices = 64; slices > 1; slices /= 2) plan.push_back(and_layer(n, slices / 2));
  return plan;
}

Plan bits_plan(std::size_t n) {
  Plan plan{edabits(n)};
  append_layers(plan, n, prefix_layers(63));
  return plan;
}

void open_against_bits(Env& env, ConstWords x,
                       const std::function<void(std::size_t, Words, Words)>& use) {
  const std::size_t n = x.size(), slice_words = 64 * petcore::bits::num_words(chunk_words(n));
  Buffer<std::uint64_t> sum(chunk_words(n)), c(slice_words), r(slice_words);
  const auto produce = [&](std::size_t i, Words own) {
    const Range range = chunk_at(i, n);
    const Words masked = own.first(range.size);
    env.source.masks({masked});
    ring::add(masked, masked, x.subspan(range.begin, range.size));
    return range.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const std::size_t words = 64 * petcore::bits::num_words(own.size());
    const Words c_i = c.span().first(words), r_i = r.span().first(words);
    ring::add(sum.span().first(own.size()), own, theirs);
    petcore::bits::to_slices(c_i, sum.span().first(own.size()));
    env.source.products({r_i});
    use(i, c_i, r_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), chunk_words(n), produce, consume});
}

void Semi2k::msb(Env& env, Words out, ConstWords x) const {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    msb_block(env, out.subspan(begin / 64, petcore::bits::num_words(size)), x.subspan(begin, size));
  });
}

void Semi2k::equal_zero(Env& env, Words out, ConstWords x) const {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    equal_zero_block(env, out.subspan(begin / 64, petcore::bits::num_words(size)),
                     x.subspan(begin, size));
  });
}

void Semi2k::bits(Env& env, Words out, ConstWords x) const {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    bits_block(env, out.subspan(begin, size), x.subspan(begin, size));
  });
}

}  // namespace petcore::protocol::semi2k
