#include "correlation/tables.h"

#include <algorithm>

#include "bits/bits.h"
#include "correlation/harmonics.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

constexpr std::uint64_t kWavesMax = 32;

// Stores one row of n rounded numbers from `begin` on.
void store(Words row, std::size_t begin, std::size_t n, const Harmonics::Row& values,
           unsigned width) {
  const double scale = static_cast<double>(std::uint64_t{1} << wave_scale(width));
  if (width == 64) {
    for (std::size_t i = 0; i < n; ++i) row[begin + i] = round_scaled(values[i], scale);
    return;
  }
  constexpr std::uint64_t kLow = 0xffffffff;  // begin is even, and the values above n are zero
  for (std::size_t i = 0; i < n; i += 2)
    row[(begin + i) / 2] =
        (round_scaled(values[i], scale) & kLow) | round_scaled(values[i + 1], scale) << 32;
}

}  // namespace

Request digit_request(std::uint64_t units, const Digits& digits) {
  return {.kind = Kind::digits, .units = units, .dims = {digits.low, digits.bits, digits.count}};
}

Request wave_request(std::uint64_t units, const Waves& waves, const Digits& digits) {
  return {.kind = Kind::waves,
          .units = units,
          .dims = {digits.low, digits.bits, digits.count, waves.period_bits, waves.count,
                   waves.step, waves.width}};
}

Digits digits_of(const Request& request) {
  const auto& d = request.dims;
  return {static_cast<unsigned>(d[0]), static_cast<unsigned>(d[1]), static_cast<unsigned>(d[2])};
}

Waves waves_of(const Request& request) {
  const auto& d = request.dims;
  return {static_cast<unsigned>(d[3]), static_cast<unsigned>(d[4]), static_cast<unsigned>(d[5]),
          static_cast<unsigned>(d[6])};
}

void check_tables(const Request& request) {
  const auto& d = request.dims;
  check(
      d[0] < 64 && d[1] <= 4 && (d[1] >= 1 || d[2] == 0) && d[2] <= 63 && d[0] + d[1] * d[2] <= 63,
      Code::frame, "a digit table that does not fit a word");
  if (request.kind == Kind::digits) return check(d[2] > 0, Code::frame, "a table of no digits");
  check(d[3] >= 1 && d[3] <= 64 && d[4] >= 1 && d[4] <= kWavesMax && d[5] >= 1 && d[5] <= 2 &&
            (d[6] == 32 || d[6] == 64),
        Code::frame, "waves of a period, number or width out of bounds");
}

std::uint64_t wave_words(const Waves& waves, std::uint64_t n) {
  return waves.width == 64 ? n : half_words(n);
}

// Rows [d > v] of one digit from its bits, lowest first. With top bit t and the rows L of the bits
// below: t | L_v, then t, then t & L_v.
void digit_rows(std::uint64_t* out, const std::uint64_t* bit_rows, unsigned bits,
                std::size_t words) {
  for (unsigned k = 0; k < bits; ++k) {
    const std::uint64_t* top = bit_rows + k * words;
    const std::size_t below = (std::size_t{1} << k) - 1;
    std::copy_n(top, words, out + below * words);
    for (std::size_t v = 0; v < below; ++v)
      for (std::size_t w = 0; w < words; ++w) {
        const std::uint64_t lower = out[v * words + w];
        out[v * words + w] = lower | top[w];
        out[(below + 1 + v) * words + w] = lower & top[w];
      }
  }
}

void digit_table(Words out, ConstWords r, const Digits& digits) {
  const std::size_t words = bits::num_words(r.size());
  Buffer<std::uint64_t> shifted(r.size()), bit_rows(digits.width() * words);
  ring::shift_right(shifted.span(), r, digits.low);
  bits::to_slices(bit_rows.span(), shifted.span(), digits.width());
  for (unsigned j = 0; j < digits.count; ++j)
    digit_rows(out.data() + j * digits.rows_per_digit() * words,
               bit_rows.data() + j * digits.bits * words, digits.bits, words);
  std::copy_n(bit_rows.end() - words, words, out.end() - words);
}

void wave_table(Words out, ConstWords r, const Waves& waves) {
  const std::size_t row = wave_words(waves, r.size());
  for (std::size_t begin = 0; begin < r.size(); begin += Harmonics::kBlock) {
    const std::size_t n = std::min(Harmonics::kBlock, r.size() - begin);
    Harmonics harmonics(r.subspan(begin, n), waves.period_bits, waves.step);
    for (unsigned k = 0; k < waves.count; ++k) {
      if (k > 0) harmonics.next();
      store(out.subspan(2 * k * row, row), begin, n, harmonics.cosine(), waves.width);
      store(out.subspan((2 * k + 1) * row, row), begin, n, harmonics.sine(), waves.width);
    }
  }
}

}  // namespace petcore::correlation
