#include "fss/fss_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx2.h"

namespace petcore::fss {
namespace {

using prg::kRounds;

#include "prg/prg_lane_vaes256.h"

struct Bits {
  using V = Lane::V;
  static V both(V x, V y) { return _mm256_and_si256(x, y); }
  static V without(V x, V y) { return _mm256_andnot_si256(x, y); }
  static V spread(V x) { return _mm256_srai_epi32(_mm256_shuffle_epi32(x, 0xff), 31); }
};

#include "fss/fss_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kVaes256 = &kKernels;

}  // namespace petcore::fss
#else
constinit const petcore::fss::Kernels* const petcore::fss::kVaes256 = nullptr;
#endif
