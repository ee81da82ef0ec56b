#include "protocol/semi2k/waves.h"

#include <algorithm>

#include "correlation/harmonics.h"

namespace petcore::protocol::semi2k {
namespace {

using correlation::Harmonics;
using correlation::round_scaled;

// Adds factor times row, for one block of n elements.
template <class Factor>
void add_products(std::uint64_t* out, const std::uint64_t* row, std::size_t begin, std::size_t n,
                  unsigned width, const Factor& factor) {
  if (width == 64) {
    for (std::size_t i = 0; i < n; ++i) out[i] += factor(i) * row[begin + i];
    return;
  }
  for (std::size_t i = 0; i < n; i += 2) {  // begin is even; the bits above 32 mean nothing
    const std::uint64_t both = row[(begin + i) / 2];
    out[i] += factor(i) * both;
    out[i + 1] += factor(i + 1) * (both >> 32);
  }
}

}  // namespace

void sum_series(int party, Words out, ConstWords c, ConstWords rows, const Series& series) {
  const auto& waves = series.waves;
  const std::size_t row = correlation::wave_words(waves, c.size());
  const double scale = static_cast<double>(1 << series.scale);
  const std::uint64_t constant = party == 0 ? round_scaled(series.factor * series.constant, scale)
                                                  << correlation::wave_scale(waves.width)
                                            : 0;
  for (std::size_t begin = 0; begin < c.size(); begin += Harmonics::kBlock) {
    const std::size_t n = std::min(Harmonics::kBlock, c.size() - begin);
    Harmonics angle(c.subspan(begin, n), waves.period_bits, waves.step);
    std::array<std::uint64_t, Harmonics::kBlock> sum;
    sum.fill(constant);
    for (unsigned k = 0; k < waves.count; ++k) {
      if (k > 0) angle.next();
      const double a = series.factor * series.cosine[k], b = series.factor * series.sine[k];
      const std::uint64_t* cosine_row = rows.data() + 2 * k * row;
      // cos(c - r) = cos c cos r + sin c sin r, sin(c - r) = sin c cos r - cos c sin r.
      add_products(sum.data(), cosine_row, begin, n, waves.width, [&](std::size_t i) {
        return round_scaled(a * angle.cosine()[i] + b * angle.sine()[i], scale);
      });
      add_products(sum.data(), cosine_row + row, begin, n, waves.width, [&](std::size_t i) {
        return round_scaled(a * angle.sine()[i] - b * angle.cosine()[i], scale);
      });
    }
    std::copy_n(sum.begin(), n, out.begin() + begin);
  }
}

}  // namespace petcore::protocol::semi2k
