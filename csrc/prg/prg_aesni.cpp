#include "prg/prg_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "simd/region_aesni.h"

namespace petcore::prg {
namespace {

#include "prg/prg_lane_aesni.h"

#include "prg/prg_expand_x86.h"

#include "prg/prg_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kAesni = &kKernels;

}  // namespace petcore::prg
#else
constinit const petcore::prg::Kernels* const petcore::prg::kAesni = nullptr;
#endif
