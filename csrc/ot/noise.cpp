#include "ot/noise.h"

namespace petcore::ot {

NoiseShape noise_for(std::size_t n) {
  unsigned depth = kNoiseDepthMin;
  while (2 * n >= kNoiseMin << (depth + 1)) ++depth;
  const std::size_t run = std::size_t{1} << depth;
  std::size_t trees = (2 * n + run - 1) / run;
  if (trees < kNoiseMin) trees = kNoiseMin;
  return {trees + trees % 2, depth};
}

}  // namespace petcore::ot
