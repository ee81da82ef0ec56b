#include "fss/fss_kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "simd/region_neon.h"

namespace petcore::fss {
namespace {

using prg::kRounds;

#include "prg/prg_lane_neon.h"

struct Bits {
  using V = Lane::V;
  static V both(V x, V y) { return vandq_u8(x, y); }
  static V without(V x, V y) { return vbicq_u8(y, x); }
  static V spread(V x) {
    const int32x4_t words = vreinterpretq_s32_u8(x);
    return vreinterpretq_u8_s32(vshrq_n_s32(vdupq_laneq_s32(words, 3), 31));
  }
};

#include "fss/fss_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kNeon = &kKernels;

}  // namespace petcore::fss
#else
constinit const petcore::fss::Kernels* const petcore::fss::kNeon = nullptr;
#endif
