// sqrt, rsqrt, reciprocal and log of a normalised operand: |x| = m 4^k with m from 1/4 to 2.
//
// The count k is shared modulo a power of two as a sum of two numbers each of which one party
// knows, and so is x: x 4^k is a sum of two products of private numbers modulo 2^64 - 1, where
// powers of two have the period 64. A Fourier series of m, which is smooth on half its period or
// more, gives the function of m in one opening; the same trick scales it back.
//
// Where a sum of two uniform shares is read modulo 2^64 - 1 instead of 2^64 it is one too large,
// but with a probability of |x| / 2^64: one is subtracted.
//
// Coefficients: minimax of the error that counts, on [1/4, 2] by linear programming on 260 points,
// with a limit of the value elsewhere: sqrt 6.7e-6, rsqrt 1.2e-5, reciprocal 2.1e-5 (relative), log
// 6.1e-6 (absolute).
#include <algorithm>
#include <bit>
#include <span>

#include "bits/bits.h"
#include "correlation/harmonics.h"
#include "protocol/semi2k/functions.h"
#include "protocol/semi2k/halves.h"
#include "protocol/semi2k/levels.h"
#include "protocol/semi2k/lookup.h"
#include "protocol/semi2k/waves.h"
#include "ring/residue.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Digits;
using correlation::half_words;
using correlation::Kind;
using correlation::Request;
using correlation::Waves;

constexpr double kSqrtConstant = 0.444371904499;
constexpr double kSqrtCosine[] = {-0.902177133878,  0.353227382872,   0.299704407916,
                                  -0.0115297332655, -0.0267419355962, -0.00108005322976};
constexpr double kSqrtSine[] = {0.820294693546,  0.575264081808,    -0.10220676031,
                                -0.111850995181, -0.00319084990531, 0.00313243021311};
constexpr double kRsqrtConstant = 6.20640591576;
constexpr double kRsqrtCosine[] = {5.77393845353,   -2.32321877005,   -4.11640368703,
                                   -1.44393556216,  0.250539787556,   0.258770497744,
                                   0.0380489104214, -0.00189259911053};
constexpr double kRsqrtSine[] = {-7.49517885764,   -6.46639324352,   -0.864941349239,
                                 1.56144041821,    0.824637518324,   0.0598881630587,
                                 -0.0412452272506, -0.00591154607843};
constexpr double kRecipConstant = 9.60082670687;
constexpr double kRecipCosine[] = {
    14.022632795,   5.31465631665,    -2.17460435231, -4.80147838275,  -3.39667189535,
    -1.15603909573, -0.0264237421415, 0.131213138834, 0.0432071074661, 0.00394884964318};
constexpr double kRecipSine[] = {-8.21628191746,   -11.8797655112,   -9.15782319664, -3.68700480601,
                                 0.181415144092,   1.1505376336,     0.644630399555, 0.150065442328,
                                 0.00369699403052, -0.00320753235113};
constexpr double kLogConstant = -3.45332972275;
constexpr double kLogCosine[] = {-4.3734832331,    1.35902923021,   2.61106619479,
                                 0.848122952894,   -0.199641203215, -0.160536819676,
                                 -0.0181369490197, 0.00188161624231};
constexpr double kLogSine[] = {4.72569758751,   4.24603900679,   0.523059291672,
                               -1.01635908041,  -0.490188753615, -0.0151323861048,
                               0.0284207267511, 0.00317878668981};

constexpr double kZeros[16] = {};

constexpr unsigned kWindow = 24;      // levels of |x| < 4^24
constexpr unsigned kDigits = 25;      // one more, where a difference of digits may wrap
constexpr unsigned kAngleShift = 36;  // of a residue: 28 bits are opened
constexpr unsigned kAngleBits = 64 - kAngleShift;
constexpr std::uint64_t kOne = 1;
// A code of zero is so far below the others that the result is nothing.
constexpr std::uint8_t kZeroCode = 0;

// Shape: what a function needs beside its series. m is 1 at 2^unit, the angle factor times that.
struct Shape {
  LevelShape levels;
  unsigned unit, factor, period_bits;
  double scale_by;
  unsigned value_scale;  // fraction bits of the value of the series
  std::span<const double> cosine, sine;
  double constant;
  // The powers of two that bring x to m, and the value to the result, at a code: first + step code.
  int shift_first, shift_step, power_step;
  unsigned drop;  // bits to drop from the result
};

std::vector<std::uint8_t> codes(unsigned most, int first, int step, std::uint8_t zero) {
  std::vector<std::uint8_t> out;
  for (unsigned k = 0; k <= most; ++k)
    out.push_back(static_cast<std::uint8_t>(first + step * static_cast<int>(k)));
  out.push_back(zero);
  return out;
}

// sqrt(x) = sqrt(m) 2^(24 - k): the code is the power, with room below for the code of zero.
Shape sqrt_shape(unsigned f) {
  constexpr int kRoom = 13, kMost = kWindow - 1;
  constexpr unsigned kScale = 24;
  return {.levels = {kDigits, false, 1, kWindow, codes(kMost, kMost + kRoom, -1, kZeroCode)},
          .unit = 62,
          .factor = 1,
          .period_bits = 28,
          .scale_by = f % 2 == 0 ? 1.0 : 1.4142135623730951,
          .value_scale = kScale,
          .cosine = kSqrtCosine,
          .sine = kSqrtSine,
          .constant = kSqrtConstant,
          .shift_first = 2 * (kMost + kRoom),
          .shift_step = -2,
          .power_step = 1,
          .drop = kScale + kRoom - 1 - f / 2};
}

// 1 / sqrt(x) = 1 / sqrt(m) 2^(k - 24).
Shape rsqrt_shape(unsigned f) {
  constexpr int kRoom = 15, kMost = kWindow - 1;
  constexpr unsigned kScale = 22;
  return {.levels = {kDigits, false, 1, kWindow, codes(kMost, kRoom, 1, kZeroCode)},
          .unit = 59,
          .factor = 9,
          .period_bits = 28,
          .scale_by = f % 2 == 0 ? 1.0 : 1.4142135623730951,
          .value_scale = kScale,
          .cosine = kRsqrtCosine,
          .sine = kRsqrtSine,
          .constant = kRsqrtConstant,
          .shift_first = -2 * kRoom,
          .shift_step = 2,
          .power_step = 1,
          .drop = kWindow + kScale + kRoom - f - f / 2};
}

// 1 / x = 1 / m 4^k 2^-48. Numbers of which the reciprocal is far below one unit are not told
// apart, and very small ones, whose reciprocal would not fit, neither.
Shape reciprocal_shape(unsigned f) {
  constexpr unsigned kScale = 20, kMostMax = 20, kBeyond = 3;
  const unsigned last = std::min(kWindow, f + kBeyond);
  const unsigned first = 2 * f > 36 ? (2 * f - 35) / 2 + 1 : 1;
  const unsigned room = kMostMax - (last - first);
  const int first_code = static_cast<int>(room);
  return {.levels = {kDigits, true, first, last, codes(last - first, first_code, 1, kZeroCode)},
          .unit = 59,
          .factor = 5,
          .period_bits = 27,
          .scale_by = 1.0,
          .value_scale = kScale,
          .cosine = kRecipCosine,
          .sine = kRecipSine,
          .constant = kRecipConstant,
          .shift_first = 2 * static_cast<int>(kWindow - last) - 2 * first_code,
          .shift_step = 2,
          .power_step = 2,
          .drop = 2 * last + kScale + 2 * room - 2 * f};
}

// log(x) = log(m) + (48 - 2 k - f) log(2). The code of zero lies beyond every count.
Shape log_shape() {
  constexpr unsigned kScale = 24;
  return {.levels = {kDigits, false, 1, kWindow, codes(kWindow - 1, 0, 1, 32)},
          .unit = 59,
          .factor = 9,
          .period_bits = 28,
          .scale_by = 1.0,
          .value_scale = kScale,
          .cosine = kLogCosine,
          .sine = kLogSine,
          .constant = kLogConstant,
          .shift_first = 0,
          .shift_step = 2,
          .power_step = 0,
          .drop = 0};
}

Shape shape_of(Op op, unsigned f) {
  if (op == Op::sqrt) return sqrt_shape(f);
  if (op == Op::rsqrt) return rsqrt_shape(f);
  if (op == Op::reciprocal) return reciprocal_shape(f);
  return log_shape();
}

Waves waves_of(const Shape& shape) {
  return {.period_bits = shape.period_bits,
          .count = static_cast<unsigned>(shape.cosine.size()),
          .step = 1,
          .width = 64};
}

// The sign of m is that of the angle, which is an eighth of its range away from zero at least.
Digits sign_digits(const Shape& shape) {
  if (!shape.levels.is_signed) return {};
  return {.low = kAngleBits - 5, .bits = 4, .count = 1};
}

// out = x 2^power modulo 2^64 - 1, where both are sums of what the parties hold, as residues.
void scale_by_powers(Env& env, Words out, ConstWords x, std::span<const std::uint8_t> powers) {
  const std::size_t n = x.size(), size_max = chunk_words(n);
  const std::uint64_t too_large = env.party == 0 ? 1 : 0;
  Buffer<std::uint64_t> kept(2 * n), product(size_max);
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = own.first(2 * r.size), keep = kept.span().subspan(2 * r.begin, 2 * r.size);
    env.source.masks({masked});
    for (std::size_t j = 0; j < r.size; ++j) {
      const int power = powers[r.begin + j] & 63;
      const std::uint64_t one = std::rotl(kOne, power);
      const std::uint64_t mine = std::rotl(ring::residue_sub(x[r.begin + j], too_large), power);
      const std::uint64_t mask = masked[j], mask_one = masked[r.size + j];
      masked[j] = ring::residue_sub(mine, mask);
      masked[r.size + j] = ring::residue_sub(one, mask_one);
      // As in exponential.cpp: party 0 keeps its numbers, party 1 its masks.
      keep[j] = env.party == 0 ? mine : mask;
      keep[r.size + j] = env.party == 0 ? one : mask_one;
    }
    return 2 * r.size;
  };
  const auto consume = [&](std::size_t i, ConstWords, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const ConstWords keep = kept.span().subspan(2 * r.begin, 2 * r.size);
    const Words both = product.span().first(r.size);
    env.source.products({both});
    for (std::size_t j = 0; j < r.size; ++j) {
      const std::uint64_t terms = ring::residue_add(ring::residue_mul(keep[j], theirs[r.size + j]),
                                                    ring::residue_mul(keep[r.size + j], theirs[j]));
      out[r.begin + j] = ring::residue_add(terms, both[j]);
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), 2 * size_max, produce, consume});
}

// Opens the angle of m; value gets the series modulo 2^32. Where m has a sign, 1 / m is odd: value
// gets the sines and `even` the rest, of which the sign is still to be turned where `negative`.
void open_angle(Env& env, Words value, Words even, Words negative, ConstWords m,
                const Shape& shape) {
  const std::size_t n = m.size(), size_max = chunk_words(n);
  const Waves waves = waves_of(shape);
  const Digits digits = sign_digits(shape);
  const std::size_t packed_max = petcore::bits::num_words(size_max);
  const std::span<const double> zeros = std::span(kZeros).first(waves.count);
  const bool is_signed = shape.levels.is_signed;
  const unsigned scale = shape.value_scale + 32 - correlation::wave_scale(64);
  const Series whole{waves, scale, shape.scale_by, shape.constant, shape.cosine, shape.sine};
  const Series odd_part{waves, scale, 1.0, 0.0, zeros, shape.sine};
  const Series even_part{waves, scale, 1.0, shape.constant, shape.cosine, zeros};
  Buffer<std::uint64_t> angle(size_max), rows(2 * waves.count * size_max);
  Buffer<std::uint64_t> table(digits.rows() * packed_max);
  Signs signs(n, is_signed ? digits : Digits{.bits = 1, .count = 1}, 1);
  const std::uint64_t zero[1] = {0};
  const auto produce = [&](std::size_t i, Words own) {
    const Range r = chunk_at(i, n);
    const Words masked = angle.span().first(r.size);
    env.source.masks({masked});
    for (std::size_t j = 0; j < r.size; ++j)
      masked[j] += shape.factor * (m[r.begin + j] >> kAngleShift);
    petcore::bits::narrow(own.first(half_words(r.size)), masked, 4);
    return half_words(r.size);
  };
  const auto consume = [&](std::size_t i, ConstWords own, ConstWords theirs) {
    const Range r = chunk_at(i, n);
    const Words c = angle.span().first(r.size), value_i = value.subspan(r.begin, r.size);
    const Words rows_i = rows.span().first(2 * waves.count * r.size);
    const Words table_i = table.span().first(digits.rows() * petcore::bits::num_words(r.size));
    petcore::bits::widen_sum(c, own, theirs, 4);
    env.source.products({rows_i, table_i});
    sum_series(env.party, value_i, c, rows_i, is_signed ? odd_part : whole);
    if (is_signed) {
      sum_series(env.party, even.subspan(r.begin, r.size), c, rows_i, even_part);
      signs.add(env.party, i, c, zero, table_i);
    }
  };
  run_exchange(env, other(env.party), {num_chunks(n), half_words(size_max), produce, consume});
  // The top halves are shares modulo 2^32 of the top half, one too low on average.
  for (std::size_t j = 0; j < n; ++j) value[j] = (value[j] >> 32) + (env.party == 0 ? 1 : 0);
  for (std::uint64_t& word : even) word >>= 32;
  if (is_signed) signs.negative(negative, 0);
}

// value = value + even, or value - even where negative.
void turn_signs(Env& env, Words value, Words even, ConstWords negative) {
  for (std::size_t j = 0; j < value.size(); ++j) {
    value[j] += even[j];
    even[j] = 0 - 2 * even[j];
  }
  select_halves(env, even, negative, {}, 0);
  for (std::size_t j = 0; j < value.size(); ++j) value[j] += even[j];
}

// Powers of a code: first + step * code, modulo 64, as a sum of what the parties hold.
void powers_of(int party, std::span<std::uint8_t> out, std::span<const std::uint8_t> code,
               int first, int step) {
  const int known = party == 0 ? first : 0;
  for (std::size_t j = 0; j < out.size(); ++j)
    out[j] = static_cast<std::uint8_t>(known + step * code[j]);
}

// Divides residues from -2^62 to 2^62 by 2^drop.
void divide_residues(Env& env, Words out, ConstWords x, unsigned drop) {
  const std::uint64_t offset = env.party == 0 ? kOne << 62 : 0;
  const std::uint64_t low_bits = (kOne << drop) - 1, round = env.party == 0 ? 0 : low_bits;
  const std::uint64_t known = env.party == 0 ? (kOne << (64 - drop)) + (offset >> drop) : 0;
  const auto low = [&](Range r, Words bits) {
    for (std::size_t j = 0; j < r.size; ++j)
      bits[j / 64] |= (~ring::residue_add(x[r.begin + j], offset) >> 63) << (j % 64);
  };
  const auto finish = [&](Range r, ConstWords both_low) {
    for (std::size_t j = 0; j < r.size; ++j) {
      const std::uint64_t share = ring::residue_add(x[r.begin + j], offset);
      const std::uint64_t rest = ((share & low_bits) + round) >> drop;
      out[r.begin + j] = (share >> drop) + rest + (both_low[j] << (64 - drop)) - known;
    }
  };
  multiply_own_bits(env, out.size(), quotient_width(drop), low, finish);
}

constexpr double kLog2 = 0.6931471805599453;

// value = value + (48 - f - 2 code) log(2), modulo 2^32. The codes are shared modulo 256 and small,
// so that their shares wrap unless both are below 128.
void add_logarithms(Env& env, Words value, std::span<const std::uint8_t> code, unsigned f,
                    unsigned scale) {
  const double one = static_cast<double>(kOne << scale);
  const std::uint64_t each = correlation::round_scaled(2 * kLog2, one);
  const std::uint64_t start = correlation::round_scaled((2.0 * kWindow - f) * kLog2, one);
  const std::uint64_t known = env.party == 0 ? start + 256 * each : 0;
  const auto low = [&](Range r, Words bits) {
    for (std::size_t j = 0; j < r.size; ++j)
      bits[j / 64] |= std::uint64_t{(~code[r.begin + j] >> 7 & 1) != 0} << (j % 64);
  };
  const auto finish = [&](Range r, ConstWords both_low) {
    for (std::size_t j = 0; j < r.size; ++j)
      value[r.begin + j] += known - each * (code[r.begin + j] + 256 * both_low[j]);
  };
  multiply_own_bits(env, value.size(), 32, low, finish);
}

Plan normalised_plan(Op op, std::size_t n, unsigned f) {
  const Shape shape = shape_of(op, f);
  const Request scaled{.kind = Kind::cross_scaled, .units = n};
  Plan plan;
  append_levels(plan, n, shape.levels);
  plan.push_back(scaled);
  plan.push_back(correlation::wave_request(n, waves_of(shape), sign_digits(shape)));
  if (shape.levels.is_signed) plan.push_back(select_request(n, false));
  if (op == Op::log) {
    plan.push_back(own_bits_request(n, 32));
    plan.push_back(widen_request(n, shape.value_scale - f));
    return plan;
  }
  plan.push_back(widen_request(n, 0));
  plan.push_back(scaled);
  plan.push_back(own_bits_request(n, quotient_width(shape.drop)));
  return plan;
}

void normalised_block(Env& env, Op op, Words out, ConstWords x, unsigned f) {
  const std::size_t n = x.size();
  const Shape shape = shape_of(op, f);
  Plan plan = normalised_plan(op, n, f);
  env.source.plan(env.step, plan);
  const bool is_signed = shape.levels.is_signed;
  Buffer<std::uint8_t> code(n), powers(n);
  Buffer<std::uint64_t> m(n), value(n), even(is_signed ? n : 0),
      negative(is_signed ? petcore::bits::num_words(n) : 0);
  measure_levels(env, code.span(), m.span(), x, shape.levels);
  for (std::uint64_t& word : m) word <<= shape.unit - 2 * kWindow;
  powers_of(env.party, powers.span(), code.span(), shape.shift_first, shape.shift_step);
  scale_by_powers(env, value.span(), m.span(), powers.span());
  open_angle(env, m.span(), even.span(), negative.span(), value.span(), shape);
  if (is_signed) turn_signs(env, m.span(), even.span(), negative.span());
  constexpr std::uint64_t kOffset = kOne << 30;  // values lie within +-2^30
  if (op == Op::log) {
    add_logarithms(env, m.span(), code.span(), f, shape.value_scale);
    widen_halves(env, out, m.span(), shape.value_scale - f, kOffset, 0);
  } else {
    widen_halves(env, m.span(), m.span(), 0, kOffset, 0);
    powers_of(env.party, powers.span(), code.span(), 0, shape.power_step);
    scale_by_powers(env, value.span(), m.span(), powers.span());
    divide_residues(env, out, value.span(), shape.drop);
  }
  env.source.finish();
}

}  // namespace

void normalised(Env& env, Op op, Words out, ConstWords x, unsigned f) {
  for_each_block(x.size(), [&](std::size_t begin, std::size_t size) {
    normalised_block(env, op, out.subspan(begin, size), x.subspan(begin, size), f);
  });
}

Cost normalised_cost(Op op, std::size_t n, unsigned f) {
  Cost cost;
  for_each_block(n, [&](std::size_t, std::size_t size) {
    const std::uint64_t packed = petcore::bits::num_words(size);
    for (const Request& request : normalised_plan(op, size, f)) {
      std::uint64_t words = 0;
      if (request.kind == Kind::digits) words = size;
      if (request.kind == Kind::and_gate) words = 2 * request.units;
      if (request.kind == Kind::bit_bytes) words = request.dims[0] * packed;
      if (request.kind == Kind::cross_scaled) words = 2 * size;
      if (request.kind == Kind::waves) words = half_words(size);
      if (request.kind == Kind::half_select) words = select_words(size, false);
      if (request.kind == Kind::cross_bit) words = packed;
      cost += one_round(words, request);
    }
  });
  return cost;
}

}  // namespace petcore::protocol::semi2k
