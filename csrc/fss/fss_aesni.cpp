#include "fss/fss_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_aesni.h"

namespace petcore::fss {
namespace {

using prg::kRounds;

#include "prg/prg_lane_aesni.h"

struct Bits {
  using V = Lane::V;
  static V both(V x, V y) { return _mm_and_si128(x, y); }
  static V without(V x, V y) { return _mm_andnot_si128(x, y); }
  static V spread(V x) { return _mm_srai_epi32(_mm_shuffle_epi32(x, 0xff), 31); }
};

#include "fss/fss_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAesni = &kKernels;

}  // namespace petcore::fss
#else
constinit const petcore::fss::Kernels* const petcore::fss::kAesni = nullptr;
#endif
