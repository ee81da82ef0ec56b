#include "correlation/harmonics.h"

namespace petcore::correlation {
namespace {

// Taylor series; the angle is at most pi / 8, where the first term left out is below 2^-51.
constexpr double kSine[] = {1.0,          -1.0 / 6,        1.0 / 120,       -1.0 / 5040,
                            1.0 / 362880, -1.0 / 39916800, 1.0 / 6227020800};
constexpr double kCosine[] = {1.0,         -1.0 / 2,       1.0 / 24,       -1.0 / 720,
                              1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600};
constexpr double kTwoPi = 6.283185307179586;
constexpr unsigned kHalvings = 3;

double series(const double (&coefficients)[7], double x) {
  double sum = coefficients[6];
  for (int i = 5; i >= 0; --i) sum = sum * x + coefficients[i];
  return sum;
}

}  // namespace

Harmonics::Harmonics(ConstWords x, unsigned period_bits, unsigned step) {
  constexpr double kScale = kTwoPi / (1 << kHalvings) / 18446744073709551616.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    // The angle divided by 8 in [-pi / 8, pi / 8), then doubled three times.
    const auto turned = static_cast<std::int64_t>(x[i] << (64 - period_bits));
    const double angle = static_cast<double>(turned) * kScale, square = angle * angle;
    double c = series(kCosine, square), s = angle * series(kSine, square);
    for (unsigned k = 0; k < kHalvings; ++k) {
      const double twice = 2 * s;
      s = twice * c;
      c = 1 - twice * (0.5 * twice);
    }
    cosine_[i] = c;
    sine_[i] = s;
    cosine_step_[i] = step == 1 ? c : 1 - 2 * s * s;
    sine_step_[i] = step == 1 ? s : 2 * s * c;
  }
}

void Harmonics::next() {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double c = cosine_[i] * cosine_step_[i] - sine_[i] * sine_step_[i];
    sine_[i] = sine_[i] * cosine_step_[i] + cosine_[i] * sine_step_[i];
    cosine_[i] = c;
  }
}

}  // namespace petcore::correlation
