#include "bits/bits_kernels.h"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace petcore::bits {
namespace {

struct Lane {
  typedef Word V __attribute__((vector_size(16)));
  static constexpr std::size_t kWords = 2;

  static Word tops(V x) { return x[0] >> 63 | x[1] >> 63 << 1; }

  static uint8x16_t place() { return vreinterpretq_u8_u64(vdupq_n_u64(0x8040201008040201)); }

  // Each byte keeps the bit of its place; adding neighbours three times gives eight bits per byte.
  static Word pack64(const std::uint8_t* in) {
    uint8x16_t x[4];
    for (unsigned i = 0; i < 4; ++i)
      x[i] = vandq_u8(vtstq_u8(vld1q_u8(in + 16 * i), vdupq_n_u8(1)), place());
    const uint8x16_t pairs = vpaddq_u8(vpaddq_u8(x[0], x[1]), vpaddq_u8(x[2], x[3]));
    return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(pairs, pairs)), 0);
  }
  static void unpack64(std::uint8_t* out, Word word) {
    const uint8x8_t bytes = vcreate_u8(word);
    const uint8x16_t twice = vcombine_u8(bytes, bytes);
    for (unsigned i = 0; i < 4; ++i) {
      const uint8x8_t low = vdup_n_u8(static_cast<std::uint8_t>(2 * i));
      const uint8x8_t high = vdup_n_u8(static_cast<std::uint8_t>(2 * i + 1));
      const uint8x16_t copies = vqtbl1q_u8(twice, vcombine_u8(low, high));
      vst1q_u8(out + 16 * i, vshrq_n_u8(vtstq_u8(copies, place()), 7));
    }
  }
};

#include "bits/bits_core.h"

#include "bits/gates_core.h"

#include "bits/flags_core.h"
}  // namespace

constinit const Kernels* const kNeon = &kKernels;

}  // namespace petcore::bits
#else
constinit const petcore::bits::Kernels* const petcore::bits::kNeon = nullptr;
#endif
