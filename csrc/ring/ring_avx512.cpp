#include "ring/ring_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx512.h"

namespace petcore::ring {
namespace {

struct Lane {
  typedef Word V __attribute__((vector_size(64)));
  typedef std::int64_t S __attribute__((vector_size(64)));
  using Factor = V;
  using Sum = V;
  static constexpr std::size_t kWords = 8, kTileRows = 6, kTileVectors = 3, kDepth = 128,
                               kRows = 384, kColumns = 960;
  static constexpr bool kPairs = true;

  static Factor factor(V x) { return x; }
  static void madd(Sum& sum, const Factor& right, V left) {
    sum += (V)_mm512_mullo_epi64((__m512i)left, (__m512i)right);
  }
  static void stream(Word* to, V x) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)x);
  }
  static void fence() { _mm_sfence(); }
  static V total(const Sum& sum) { return sum; }
};

#include "ring/ring_core.h"

#include "ring/ring_tile_core.h"

#include "ring/ring_matmul_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAvx512 = &kKernels;

}  // namespace petcore::ring
#else
constinit const petcore::ring::Kernels* const petcore::ring::kAvx512 = nullptr;
#endif
