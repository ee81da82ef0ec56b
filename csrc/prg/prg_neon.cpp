#include "prg/prg_kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "simd/region_neon.h"

namespace petcore::prg {
namespace {

#include "prg/prg_lane_neon.h"

// substitute applies the S-box to each byte of a word: with the word in all four columns, ShiftRows
// changes nothing.
inline std::uint32_t substitute(std::uint32_t word) {
  const uint8x16_t columns = vreinterpretq_u8_u32(vdupq_n_u32(word));
  return vgetq_lane_u32(vreinterpretq_u32_u8(vaeseq_u8(columns, vdupq_n_u8(0))), 0);
}

void expand(std::byte* schedule, const std::byte* key) {
  std::uint32_t words[4 * (kRounds + 1)];
  __builtin_memcpy(words, key, kBlockBytes);
  std::uint32_t constant = 1;
  for (std::size_t i = 4; i < 4 * (kRounds + 1); ++i) {
    std::uint32_t last = words[i - 1];
    if (i % 4 == 0) {
      last = substitute((last >> 8) | (last << 24)) ^ constant;
      constant = (constant << 1) ^ ((constant >> 7) * 0x11b);
    }
    words[i] = words[i - 4] ^ last;
  }
  __builtin_memcpy(schedule, words, sizeof(words));
}

#include "prg/prg_core.h"
}  // namespace
#include "simd/region_end.h"

constinit const Kernels* const kNeon = &kKernels;

}  // namespace petcore::prg
#else
constinit const petcore::prg::Kernels* const petcore::prg::kNeon = nullptr;
#endif
