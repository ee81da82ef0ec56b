#include "ring/gf128_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_vclmul.h"

namespace petcore::ring {
namespace {

#include "ring/gf128_field_clmul.h"

#include "ring/gf128_core.h"

// Two elements to a vector.
using Two = __m256i;

inline Two load_two(const Gf128* from) {
  return _mm256_loadu_si256(reinterpret_cast<const Two*>(from));
}

// halves_added has the sum of an element's words as its lower word.
inline Two halves_added(Two x) { return _mm256_xor_si256(x, _mm256_shuffle_epi32(x, 0x4e)); }

inline V both_added(Two x) {
  return _mm_xor_si128(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

// The products of halves after Karatsuba, since adding costs less than multiplying here.
Gf128 inner_product_of_twos(const Gf128* x, const Gf128* y, std::size_t size) {
  Two low{}, cross{}, high{};
  std::size_t i = 0;
  for (; i + 2 <= size; i += 2) {
    const Two a = load_two(x + i), b = load_two(y + i);
    low = _mm256_xor_si256(low, _mm256_clmulepi64_epi128(a, b, 0x00));
    high = _mm256_xor_si256(high, _mm256_clmulepi64_epi128(a, b, 0x11));
    cross =
        _mm256_xor_si256(cross, _mm256_clmulepi64_epi128(halves_added(a), halves_added(b), 0x00));
  }
  Field::Wide sum{both_added(low), {}, both_added(high)};
  sum.middle = Field::add(both_added(cross), Field::add(sum.low, sum.high));
  if (i < size) sum = Field::add_wide(sum, Field::wide(Field::load(x + i), Field::load(y + i)));
  Gf128 out;
  Field::store(&out, Field::reduce(sum));
  return out;
}

constexpr Gf128Kernels kOfTwos = {multiply_one, add_scaled_all, add_products_all,
                                  inner_product_of_twos, add_polynomial_all};
}  // namespace
#include "simd/region_end.h"

constinit const Gf128Kernels* const kGf128Vclmul = &kOfTwos;

}  // namespace petcore::ring
#else
constinit const petcore::ring::Gf128Kernels* const petcore::ring::kGf128Vclmul = nullptr;
#endif
