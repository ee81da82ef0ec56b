#include "ring/ring_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx2.h"

namespace petcore::ring {
namespace {

// With 32-bit halves, x * y mod 2^64 = xl * yl + 2^32 * (xl * yh + xh * yl), and the second part is
// needed mod 2^32 only. One VPMULLD against the halves swapped gives both its products, and the
// shift by 32 waits until the sum is complete.
struct Lane {
  typedef Word V __attribute__((vector_size(32)));
  typedef std::int64_t S __attribute__((vector_size(32)));
  typedef std::uint32_t Halves __attribute__((vector_size(32)));
  static constexpr std::size_t kWords = 4, kTileRows = 5, kTileVectors = 1, kDepth = 256,
                               kRows = 190, kColumns = 1024;
  static constexpr bool kPairs = true;

  struct Factor {
    V word;
    Halves swapped;
  };
  struct Sum {
    V low;
    Halves cross;
  };

  static Factor factor(V x) { return {x, (Halves)_mm256_shuffle_epi32((__m256i)x, 0xb1)}; }
  static void madd(Sum& sum, const Factor& right, V left) {
    sum.low += (V)_mm256_mul_epu32((__m256i)left, (__m256i)right.word);
    sum.cross += (Halves)left * right.swapped;
  }
  static void stream(Word* to, V x) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)x);
  }
  static void fence() { _mm_sfence(); }
  static V total(const Sum& sum) {
    const V cross = (V)sum.cross;
    return sum.low + (cross << 32) + (cross & 0xffffffff00000000);
  }
};

#include "ring/ring_core.h"

#include "ring/ring_tile_core.h"

#include "ring/ring_matmul_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAvx2 = &kKernels;

}  // namespace petcore::ring
#else
constinit const petcore::ring::Kernels* const petcore::ring::kAvx2 = nullptr;
#endif
