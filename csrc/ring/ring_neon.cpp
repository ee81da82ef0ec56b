#include "ring/ring_kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace petcore::ring {
namespace {

// The same split into halves as in ring_avx2.cpp: UMLAL for the low products, MLA for the cross
// ones.
struct Lane {
  typedef Word V __attribute__((vector_size(16)));
  typedef std::int64_t S __attribute__((vector_size(16)));
  static constexpr std::size_t kWords = 2, kTileRows = 4, kTileVectors = 2, kDepth = 256,
                               kRows = 128, kColumns = 1024;
  static constexpr bool kPairs = false;

  struct Factor {
    uint32x2_t low;
    uint32x4_t swapped;
  };
  struct Sum {
    uint64x2_t low;
    uint32x4_t cross;
  };

  static Factor factor(V x) { return {vmovn_u64((uint64x2_t)x), vrev64q_u32((uint32x4_t)x)}; }
  static void madd(Sum& sum, const Factor& right, V left) {
    sum.low = vmlal_u32(sum.low, vmovn_u64((uint64x2_t)left), right.low);
    sum.cross = vmlaq_u32(sum.cross, (uint32x4_t)left, right.swapped);
  }
  static void stream(Word* to, V x) { __builtin_memcpy(to, &x, sizeof(V)); }
  static void fence() {}
  static V total(const Sum& sum) {
    const V cross = (V)sum.cross;
    return (V)sum.low + (cross << 32) + (cross & 0xffffffff00000000);
  }
};

#include "ring/ring_core.h"

#include "ring/ring_tile_core.h"

#include "ring/ring_matmul_core.h"
}  // namespace

constinit const Kernels* const kNeon = &kKernels;

}  // namespace petcore::ring
#else
constinit const petcore::ring::Kernels* const petcore::ring::kNeon = nullptr;
#endif
