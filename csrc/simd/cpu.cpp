#include "simd/cpu.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace petcore::simd {
namespace {

#if defined(__x86_64__)
// Not every compiler's run-time check knows SHA; its registers are those of SSE, always saved.
bool has_sha() {
  constexpr unsigned kShaBit = 1U << 29;  // leaf 7, EBX
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & kShaBit) != 0;
}
#endif

Cpu detect() {
  Cpu found;
#if defined(__x86_64__)
  // The compiler's run-time checks XCR0 as well, so a feature here is one the system saves.
  __builtin_cpu_init();
  found.aesni = __builtin_cpu_supports("aes") && __builtin_cpu_supports("sse4.1");
  found.clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  found.avx2 = __builtin_cpu_supports("avx2");
  found.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                 __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  found.sha = has_sha() && __builtin_cpu_supports("sse4.1");
  found.vclmul = found.avx2 && found.clmul && __builtin_cpu_supports("vpclmulqdq");
  found.vaes = found.avx2 && found.aesni && __builtin_cpu_supports("vaes");
#elif defined(__aarch64__)
  found.neon = true;
  found.neon_aes = (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#endif
  return found;
}

}  // namespace

const Cpu& cpu() {
  static const Cpu found = detect();
  return found;
}

std::size_t cache_bytes() {
  static const std::size_t found = [] {
    constexpr std::size_t kUnknown = std::size_t{32} << 20;
#if defined(_SC_LEVEL3_CACHE_SIZE)
    const long told = sysconf(_SC_LEVEL3_CACHE_SIZE);
    return told > 0 ? static_cast<std::size_t>(told) : kUnknown;
#else
    return kUnknown;
#endif
  }();
  return found;
}

std::size_t around_cache_bytes() {
  // A cache that many machines share shows its whole size to each of them.
  constexpr std::size_t kMax = std::size_t{16} << 20;
  return std::min(cache_bytes() / 2, kMax);
}

std::string forced_target() {
  const char* value = std::getenv("PETCORE_TARGET");
  return value == nullptr ? "" : value;
}

}  // namespace petcore::simd
