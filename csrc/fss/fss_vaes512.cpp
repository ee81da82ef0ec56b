#include "fss/fss_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx512.h"

namespace petcore::fss {
namespace {

using prg::kRounds;

#include "prg/prg_lane_vaes512.h"

struct Bits {
  using V = Lane::V;
  static V both(V x, V y) { return _mm512_and_si512(x, y); }
  // The masked form with a full mask is the same instruction; GCC 12 warns inside the plain one.
  static V without(V x, V y) { return _mm512_maskz_andnot_epi64(0xff, x, y); }
  static V spread(V x) {
    return _mm512_maskz_srai_epi32(0xffff, _mm512_maskz_shuffle_epi32(0xffff, x, _MM_PERM_DDDD),
                                   31);
  }
};

#include "fss/fss_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kVaes512 = &kKernels;

}  // namespace petcore::fss
#else
constinit const petcore::fss::Kernels* const petcore::fss::kVaes512 = nullptr;
#endif
