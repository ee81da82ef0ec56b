// sigmoid: an antiperiodic sine series, which is flat a quarter of its period from zero and so
// needs few terms, where |x| is below a threshold, and 0 or 1 beyond it. The same opening and the
// same mask serve the series and both comparisons. The value lies in [0, 1], so everything up to
// the last step is done modulo 2^32; a wrap of two shares of a number below 2^31 is then a product
// of two bits each of which one party knows (as in truncate.cpp).
//
// Coefficients: minimax of the absolute error for |x| <= 8.95 with period 512 / 15 and the odd
// harmonics up to 15, by linear programming on 400 Chebyshev points: 8.5e-5. The thresholds lie
// where 1 - sigmoid(x) is 1.8e-4 at most.
#include <algorithm>

#include "bits/bits.h"
#include "protocol/semi2k/cross.h"
#include "protocol/semi2k/functions.h"
#include "protocol/semi2k/halves.h"
#include "protocol/semi2k/lookup.h"
#include "protocol/semi2k/waves.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Digits;
using correlation::half_words;
using correlation::Kind;
using correlation::Waves;

constexpr double kSine[] = {0.602526092,   0.134032663,   0.041026907,    0.0128363736,
                            0.00408361639, 0.00125317902, 0.000466173315, 0.000131972448};
constexpr double kCosine[std::size(kSine)] = {};
constexpr unsigned kCoefficientScale = 16;
constexpr unsigned kScale = kCoefficientScale + correlation::wave_scale(32);
// x 15/16 has the period 32. It has the fraction bits of x and these.
constexpr std::uint64_t kFactor = 15;
constexpr unsigned kFactorBits = 4, kPeriodBits = 5;
// Beyond 8 1/4 of that the value is a limit; the comparison may err by an eighth.
constexpr std::uint64_t kThreshold = 8 * 16 + 4;
constexpr unsigned kEighth = 3;
// Keeps the value positive while it is divided: a quarter.
constexpr std::uint64_t kOffset = std::uint64_t{1} << (kScale - 2);

struct Shape {
  unsigned angle_scale;  // fraction bits of 15/16 x, for tanh of 15/16 2x
  Digits digits;
  Waves waves;
};

Shape shape_of(unsigned f, bool is_tanh) {
  const unsigned scale = f + kFactorBits - (is_tanh ? 1 : 0);
  const unsigned count = (63 - (scale - kEighth) + 3) / 4;
  return {
      .angle_scale = scale,
      .digits = {.low = 63 - 4 * count, .bits = 4, .count = count},
      .waves = {
          .period_bits = scale + kPeriodBits, .count = std::size(kSine), .step = 2, .width = 32}};
}

// Opens 15/16 x + r; gives the series, and the leaves of both comparisons.
void open_angle(Env& env, Words series, Signs& signs, ConstWords x, const Shape& shape) {
  const std::size_t n = x.size(), size_max = chunk_words(n);
  const std::uint64_t threshold = kThreshold << (shape.angle_scale - 4);
  const std::uint64_t thresholds[2] = {threshold, 0 - threshold};
  const Series wave{.waves = shape.waves,
                    .scale = kCoefficientScale,
                    .factor = 1.0,
                    .constant = 0.5,
                    .cosine = kCosine,
                    .sine = kSine};
  Buffer<std::uint64_t> sum(size_max), rows(2 * shape.waves.count * half_words(size_max));
  Buffer<std::uint64_t> table(shape.digits.rows() * petcore::bits::num_words(size_max));
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = own.first(r.size);
    env.source.masks({masked});
    for (std::size_t j = 0; j < r.size; ++j) masked[j] += kFactor * x[r.begin + j];
    return r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words c = sum.span().first(r.size);
    const Words rows_i = rows.span().first(2 * shape.waves.count * half_words(r.size));
    const Words table_i =
        table.span().first(shape.digits.rows() * petcore::bits::num_words(r.size));
    env.source.products({rows_i, table_i});
    for (std::size_t j = 0; j < r.size; ++j) c[j] = own[j] + theirs[j];
    sum_series(env.party, series.subspan(r.begin, r.size), c, rows_i, wave);
    signs.add(env.party, i, c, thresholds, table_i);
  };
  run_exchange(env, other(env.party), {num_chunks(n), size_max, produce, consume});
}

Plan sigmoid_plan(std::size_t n, unsigned f, bool is_tanh) {
  const Shape shape = shape_of(f, is_tanh);
  Plan plan{correlation::wave_request(n, shape.waves, shape.digits)};
  Signs::plan(plan, n, shape.digits, 2);
  plan.push_back(select_request(n, true));
  plan.push_back(widen_request(n, kScale - f - (is_tanh ? 1 : 0)));
  return plan;
}

void sigmoid_block(Env& env, Words out, ConstWords x, unsigned f, bool is_tanh) {
  const std::size_t n = x.size();
  const Shape shape = shape_of(f, is_tanh);
  Plan plan = sigmoid_plan(n, f, is_tanh);
  env.source.plan(env.step, plan);
  Buffer<std::uint64_t> value(n), inside(petcore::bits::num_words(n)), above(inside.size());
  {
    Signs signs(n, shape.digits, 2);
    open_angle(env, value.span(), signs, x, shape);
    signs.run(env);
    signs.negative(above.span(), 0);
    signs.negative(inside.span(), 1);
  }
  // Both signs are negative below, none above; between them only the first is.
  for (std::size_t w = 0; w < inside.size(); ++w) {
    inside[w] ^= above[w];
    above[w] ^= env.party == 0 ? ~std::uint64_t{0} : 0;
  }
  select_halves(env, value.span(), inside.span(), above.span(), std::uint64_t{1} << kScale);
  const std::uint64_t minus = is_tanh ? std::uint64_t{1} << f : 0;
  widen_halves(env, out, value.span(), kScale - f - (is_tanh ? 1 : 0), kOffset, minus);
  env.source.finish();
}

}  // namespace

void sigmoid(Env& env, Words out, ConstWords x, unsigned f, bool is_tanh) {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    sigmoid_block(env, out.subspan(begin, size), x.subspan(begin, size), f, is_tanh);
  });
}

Cost sigmoid_cost(std::size_t n, unsigned f, bool is_tanh) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    const std::uint64_t packed = petcore::bits::num_words(size);
    const Plan plan = sigmoid_plan(size, f, is_tanh);
    cost += one_round(size, plan.front());
    cost += layers_cost(Plan(plan.begin() + 1, plan.end() - 2));
    cost += one_round(2 * packed + half_words(size), plan.end()[-2]);
    cost += one_round(packed, plan.back());
  });
  return cost;
}

}  // namespace petcore::protocol::semi2k
