// What this machine's processor can do, and which compiled target a kernel should use.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace petcore::simd {

// Features as the operating system lets us use them (register state checked).
struct Cpu {
  bool avx2 = false, aesni = false, clmul = false, vaes = false, vclmul = false, sha = false,
       avx512 = false /* F, BW, DQ, VL */, neon = false, neon_aes = false;
};

// cpu detects once and remembers.
const Cpu& cpu();

// cache_bytes is the size of the last-level cache, 32 MiB where the system does not tell.
std::size_t cache_bytes();
// around_cache_bytes: from this size on the first lines written would have left the cache before
// the last ones are made, so that all of them are better written around it.
std::size_t around_cache_bytes();

// forced_target is the value of PETCORE_TARGET ("portable", "aesni", "avx2", ...) or empty.
std::string forced_target();

}  // namespace petcore::simd
