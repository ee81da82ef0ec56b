// exp: with y = x log2(e) and y = y0 + y1 the shares of it, 2^y = 2^y0 2^y1, a product of two
// numbers each of which one party knows. Modulo 2^128 - 1 a power of two is a rotation of period
// 128, so that y0 + y1 may wrap, and the top 64 bits of both shares of the product are shares of
// its quotient by 2^64, off by at most one: a wrap modulo 2^128 - 1 does not reach them.
//
// What lies below the domain must not come round again: there a comparison gives zero. It has many
// powers of two of room between the smallest result that counts and the wrap, so it looks at the
// top bits of y only.
#include <bit>

#include "bits/bits.h"
#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/functions.h"
#include "protocol/semi2k/lookup.h"
#include "ring/residue.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Digits;
using correlation::Kind;
using correlation::Request;

constexpr unsigned kLogScale = 22;
constexpr std::uint64_t kLog2E = 6051102;  // log2(e) 2^22, rounded
constexpr unsigned kMantissaBits = 20;     // of 2^fraction, so that each rounding is below 2^-20
constexpr unsigned kDropped = 64;          // bits of the product that are dropped
// Results of this many powers of two below the last bit are still powers, the next ones wrap.
constexpr unsigned kRoom = kDropped - 2 * kMantissaBits;
constexpr unsigned kZeroBelow = 4;  // powers of two above the wrap

unsigned scale_of_y(unsigned f) { return f + kLogScale; }

// y's top bits decide, in digits of 4 that leave out at most 3 bits of y's integer part.
Digits sign_digits(unsigned f) {
  return {.low = 0, .bits = 4, .count = (63 - (scale_of_y(f) + 3) + 3) / 4};
}
unsigned sign_shift(unsigned f) { return 64 - sign_digits(f).width(); }

// This party's share of y + room + f, so that every result that counts has a power from 1 to 127.
std::uint64_t share_of_y(int party, std::uint64_t x, unsigned f) {
  return x * kLog2E + (party == 0 ? std::uint64_t{kRoom + f} << scale_of_y(f) : 0);
}

// 2^t for t in [0, 1): Taylor of e^(t log 2), without a table that a secret would index.
double power_of_two(double t) {
  constexpr double kCoefficients[] = {
      1.5252733804059840e-5, 1.5403530393381608e-4, 1.3333558146428443e-3, 9.6181291076284772e-3,
      5.5504108664821580e-2, 2.4022650695910071e-1, 6.9314718055994531e-1, 1.0};
  double sum = 1.3215486790144309e-6;
  for (const double c : kCoefficients) sum = sum * t + c;
  return sum;
}

// 2^y modulo 2^128 - 1, scaled by 2^kMantissaBits.
ring::uint128 own_power(std::uint64_t y, unsigned scale) {
  const std::uint64_t fraction = y & ((std::uint64_t{1} << scale) - 1);
  const double t = static_cast<double>(static_cast<std::int64_t>(fraction)) /
                   static_cast<double>(std::uint64_t{1} << scale);
  const double mantissa = power_of_two(t) * (1 << kMantissaBits) + 0.5;
  const auto integer = static_cast<unsigned>(y >> scale & 127);
  return ring::wide_rotate(static_cast<ring::uint128>(static_cast<std::int64_t>(mantissa)),
                           integer);
}

// A chunk of Signs from an opening of the top bits.
void open_signs(Env& env, Signs& signs, ConstWords x, unsigned f, const Digits& digits) {
  const std::size_t n = x.size(), size_max = chunk_words(n);
  const std::uint64_t below = env.party == 0 ? std::uint64_t{kZeroBelow} << scale_of_y(f) : 0;
  const std::uint64_t zero[1] = {0};
  Buffer<std::uint64_t> masked(size_max), table(digits.rows() * petcore::bits::num_words(size_max));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words top = masked.span().first(r.size);
    env.source.masks({top});
    for (std::size_t j = 0; j < r.size; ++j)
      top[j] += (share_of_y(env.party, x[r.begin + j], f) - below) >> sign_shift(f);
    const std::size_t halves = correlation::half_words(r.size);
    petcore::bits::narrow(own.first(halves), top, 4);
    return halves;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const std::size_t size = chunk_at(i, n).size;
    const Words sum = masked.span().first(size);
    const Words table_i = table.span().first(digits.rows() * petcore::bits::num_words(size));
    petcore::bits::widen_sum(sum, own, theirs, 4);
    env.source.products({table_i});
    signs.add(env.party, i, sum, zero, table_i);
  };
  run_exchange(env, other(env.party),
               {num_chunks(n), correlation::half_words(size_max), produce, consume});
}

// Opens both powers, masked, and gives the top half of the product.
void multiply_powers(Env& env, Words out, ConstWords x, unsigned f) {
  const std::size_t n = x.size(), size_max = chunk_words(n);
  Buffer<std::uint64_t> power(2 * n), product(2 * size_max);
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = own.first(2 * r.size);
    env.source.masks({masked});
    for (std::size_t j = 0; j < r.size; ++j) {
      const ring::uint128 mine = own_power(share_of_y(env.party, x[r.begin + j], f), scale_of_y(f));
      const ring::uint128 mask = ring::load_wide(&masked[2 * j]);
      ring::store_wide(&masked[2 * j], ring::wide_sub(mine, mask));
      // u0 u1 = u0 (u1 - a1) + (u0 - a0) a1 + a0 a1: party 1 keeps its mask, party 0 its number.
      ring::store_wide(&power[2 * (r.begin + j)], env.party == 0 ? mine : mask);
    }
    return 2 * r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words both = product.span().first(2 * r.size);
    env.source.products({both});
    for (std::size_t j = 0; j < r.size; ++j) {
      const ring::uint128 term = ring::wide_mul(ring::load_wide(&power[2 * (r.begin + j)]),
                                                ring::load_wide(&theirs[2 * j]));
      const ring::uint128 share = ring::wide_add(term, ring::load_wide(&both[2 * j]));
      // Rounding one share up and the other down is right on average.
      out[r.begin + j] =
          static_cast<std::uint64_t>(share >> kDropped) + static_cast<std::uint64_t>(env.party);
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * size_max, produce, consume});
}

Plan exponential_plan(std::size_t n, unsigned f) {
  const Digits digits = sign_digits(f);
  Plan plan{correlation::digit_request(n, digits)};
  Signs::plan(plan, n, digits, 1);
  plan.push_back({.kind = Kind::cross_wide, .units = n});
  plan.push_back({.kind = Kind::bit_product, .units = n});
  return plan;
}

void exponential_block(Env& env, Words out, ConstWords x, unsigned f) {
  const std::size_t n = x.size();
  Plan plan = exponential_plan(n, f);
  env.source.plan(env.step, plan);
  const Digits digits = sign_digits(f);
  Buffer<std::uint64_t> counts(petcore::bits::num_words(n)), power(n);
  {
    Signs signs(n, digits, 1);
    open_signs(env, signs, x, f, digits);
    signs.run(env);
    signs.negative(counts.span(), 0);
  }
  if (env.party == 0)
    for (std::uint64_t& word : counts) word = ~word;
  multiply_powers(env, power.span(), x, f);
  multiply_bits(env, out, counts.span(), power.span());
  env.source.finish();
}

}  // namespace

void exponential(Env& env, Words out, ConstWords x, unsigned f) {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    exponential_block(env, out.subspan(begin, size), x.subspan(begin, size), f);
  });
}

Cost exponential_cost(std::size_t n, unsigned f) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    const Plan plan = exponential_plan(size, f);
    cost += one_round(correlation::half_words(size), plan.front());
    cost += layers_cost(Plan(plan.begin() + 1, plan.end() - 2));
    cost += one_round(2 * size, plan.end()[-2]);
    cost += one_round(petcore::bits::num_words(size) + size, plan.back());
  });
  return cost;
}

}  // namespace petcore::protocol::semi2k
