// What one target of the PRG provides. Blocks are 16 bytes, pointers need no alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace petcore::prg {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kRounds = 10;
constexpr std::size_t kScheduleBytes = kBlockBytes * (kRounds + 1);

struct Kernels {
  // expand writes the key schedule in the form that the same row's other functions read; its first
  // block is always the key itself.
  void (*expand)(std::byte* schedule, const std::byte* key);
  // counter writes AES(key, first), AES(key, first + 1), ...; counters are big-endian.
  void (*counter)(const std::byte* schedule, std::byte* out, std::size_t num_blocks,
                  std::uint64_t first);
  // encrypt is AES on each block; out may be in.
  void (*encrypt)(const std::byte* schedule, std::byte* out, const std::byte* in,
                  std::size_t num_blocks);
  // hash is the tweaked hash of crh.h with the tweak (high, low + i) for block i; out may be in.
  void (*hash)(const std::byte* schedule, std::byte* out, const std::byte* in,
               std::size_t num_blocks, std::uint64_t tweak_high, std::uint64_t tweak_low);
};

// One pointer per target, null where the architecture is another one.
extern const Kernels* const kVaes512;
extern const Kernels* const kVaes256;
extern const Kernels* const kAesni;
extern const Kernels* const kNeon;
extern const Kernels* const kPortable;

// choose gives the row that `target` forces, or the widest for "".
const Kernels& choose(std::string_view target);

}  // namespace petcore::prg
