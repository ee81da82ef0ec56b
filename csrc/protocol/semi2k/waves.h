// Periodic functions in one round: c = x + r is opened modulo the period, and the cosines and sines
// of r are dealt, so that a Fourier series of x is linear in what is shared (Zheng et al., "Secure
// softmax/sigmoid for machine-learning computation", ACSAC 2023).
#pragma once

#include <span>

#include "correlation/tables.h"
#include "protocol/semi2k/semi2k.h"

namespace petcore::protocol::semi2k {

// Series: constant + sum of cosine[k] cos(m_k t) + sine[k] sin(m_k t), t the angle of x and m_k
// the harmonics of `waves`.
struct Series {
  correlation::Waves waves;
  unsigned scale;  // fraction bits of the public factors; with those of the waves, of the result
  double factor;   // times all that follow
  double constant;
  std::span<const double> cosine, sine;
};

// sum_series gives shares of the series at x, mod 2^waves.width. c is
// the public x + r, rows the dealt waves of r. Local.
void sum_series(int party, Words out, ConstWords c, ConstWords rows, const Series& series);

}  // namespace petcore::protocol::semi2k
