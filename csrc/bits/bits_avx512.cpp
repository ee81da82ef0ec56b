#include "bits/bits_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx512.h"

namespace petcore::bits {
namespace {

struct Lane {
  typedef Word V __attribute__((vector_size(64)));
  static constexpr std::size_t kWords = 8;

  static Word tops(V x) { return _mm512_movepi64_mask((__m512i)x); }

  static Word pack64(const std::uint8_t* in) {
    return _mm512_test_epi8_mask(_mm512_loadu_si512(in), _mm512_set1_epi8(1));
  }
  static void unpack64(std::uint8_t* out, Word word) {
    _mm512_storeu_si512(out, _mm512_maskz_set1_epi8(word, 1));
  }
};

#include "bits/bits_core.h"

#include "bits/gates_core.h"

#include "bits/flags_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAvx512 = &kKernels;

}  // namespace petcore::bits
#else
constinit const petcore::bits::Kernels* const petcore::bits::kAvx512 = nullptr;
#endif
