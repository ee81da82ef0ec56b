#include "bits/bits_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_avx2.h"

namespace petcore::bits {
namespace {

struct Lane {
  typedef Word V __attribute__((vector_size(32)));
  static constexpr std::size_t kWords = 4;

  static Word tops(V x) {
    return static_cast<Word>(_mm256_movemask_pd(_mm256_castsi256_pd((__m256i)x)));
  }

  static std::uint32_t pack32(const std::uint8_t* in) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(in));
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_slli_epi16(bytes, 7)));
  }
  static Word pack64(const std::uint8_t* in) {
    return pack32(in) | static_cast<Word>(pack32(in + 32)) << 32;
  }

  // Byte i of the output gets the byte of the word that holds bit i, then that bit alone.
  static void unpack32(std::uint8_t* out, std::uint32_t half) {
    const __m256i source =
        _mm256_set_epi64x(0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0);
    const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201));
    const __m256i copies = _mm256_shuffle_epi8(_mm256_set1_epi32(static_cast<int>(half)), source);
    const __m256i bits = _mm256_min_epu8(_mm256_and_si256(copies, bit), _mm256_set1_epi8(1));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), bits);
  }
  static void unpack64(std::uint8_t* out, Word word) {
    unpack32(out, static_cast<std::uint32_t>(word));
    unpack32(out + 32, static_cast<std::uint32_t>(word >> 32));
  }
};

#include "bits/bits_core.h"

#include "bits/gates_core.h"

#include "bits/flags_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAvx2 = &kKernels;

}  // namespace petcore::bits
#else
constinit const petcore::bits::Kernels* const petcore::bits::kAvx2 = nullptr;
#endif
