#include "ring/gf128_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_clmul.h"

namespace petcore::ring {
namespace {

#include "ring/gf128_field_clmul.h"

#include "ring/gf128_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Gf128Kernels* const kGf128Clmul = &kKernels;

}  // namespace petcore::ring
#else
constinit const petcore::ring::Gf128Kernels* const petcore::ring::kGf128Clmul = nullptr;
#endif
