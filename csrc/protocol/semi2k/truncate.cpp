// Division by a power of two: of each share by itself (Mohassel and Zhang, S&P 2017, section 5.1),
// with the wrap that this leaves in one word of 2^64 undone (as Cheetah does for a known sign:
// Huang et al., USENIX Security 2022, section 5). The exact variant adds the carry of the low bits,
// which is the top bit of a sum of f + 1 bits.
#include "bits/flags.h"
#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/plans.h"
#include "ring/ring.h"

namespace petcore::protocol::semi2k {
namespace {

constexpr std::uint64_t kOne = 1;

// Adds the carry out of the low f bits of this party's share of x + 2^62 and the peer's.
void add_carries(Env& env, const Setting& setting, Words out, ConstWords x, unsigned f) {
  const std::uint64_t low_mask = (kOne << f) - 1;  // does not reach the 2^62
  Buffer<std::uint64_t> low(x.size()), carries(petcore::bits::num_words(x.size()));
  for (std::size_t j = 0; j < x.size(); ++j) low[j] = x[j] & low_mask;
  planned_msb(env, setting, carries.span(), low.span(), {.width = f + 1});
  convert_bits(env, low.span(), carries.span());
  ring::add(out, out, low.span());
}

// x' = x + 2^62 is below 2^63, so the sum of its two shares wraps unless both are below 2^63. Each
// party divides its share, party 1 adding `round` first; the sum of the two is too much by
// 2^(64 - f) where the shares wrap.
void divide_shares(Env& env, Words out, ConstWords x, unsigned f, std::uint64_t round) {
  const std::size_t n = x.size();
  const std::uint64_t offset = env.party == 0 ? kOne << 62 : 0;
  const std::uint64_t add = env.party == 0 ? 0 : round;
  const std::uint64_t known = env.party == 0 ? (kOne << (64 - f)) + (offset >> f) : 0;
  const auto low = [&](Range r, Words bits) {
    petcore::bits::top_flags(bits, x.subspan(r.begin, r.size), offset);
    for (std::uint64_t& word : bits) word = ~word;
  };
  const auto finish = [&](Range r, ConstWords both_low) {
    petcore::bits::quotient(out.subspan(r.begin, r.size), x.subspan(r.begin, r.size), both_low,
                            {f, offset, add, known});
  };
  multiply_own_bits(env, n, quotient_width(f), low, finish);
}

void truncate_exact_block(Env& env, const Setting& setting, Words out, ConstWords x, unsigned f) {
  Plan plan = truncate_exact_plan(setting, x.size(), f);
  env.source.plan(env.step, plan);
  divide_shares(env, out, x, f, 0);
  add_carries(env, setting, out, x, f);
  env.source.finish();
}

}  // namespace

Plan truncate_exact_plan(const Setting& setting, std::size_t n, unsigned f) {
  Plan plan{own_bits_request(n, quotient_width(f))};
  for (const correlation::Request& request : msb_plan(setting, n, f + 1)) plan.push_back(request);
  plan.push_back({.kind = correlation::Kind::dabit, .units = n});
  return plan;
}

// Party 0 rounds down and party 1 up: the sum is the quotient, or one more as often as the
// remainder says.
void divide(Env& env, Words out, ConstWords x, unsigned f) {
  divide_shares(env, out, x, f, (kOne << f) - 1);
}

void Semi2k::truncate(Env& env, Words out, ConstWords x, unsigned f) const {
  correlation::Request request = own_bits_request(x.size(), quotient_width(f));
  env.source.plan(env.step, {&request, 1});
  divide(env, out, x, f);
  env.source.finish();
}

void Semi2k::truncate_exact(Env& env, Words out, ConstWords x, unsigned f) const {
  const auto run = [&](std::size_t begin, std::size_t size) {
    truncate_exact_block(env, setting_, out.subspan(begin, size), x.subspan(begin, size), f);
  };
  for_each_block(x.size(), run, block_of(setting_));
}

}  // namespace petcore::protocol::semi2k
