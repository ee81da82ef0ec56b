#include "ot/ot_kernels.h"

#if defined(__x86_64__)
#include <cstring>

#include "simd/region_avx512.h"

namespace petcore::ot {
namespace {
#include "ot/ot_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAvx512 = &kKernels;

}  // namespace petcore::ot
#else
constinit const petcore::ot::Kernels* const petcore::ot::kAvx512 = nullptr;
#endif
