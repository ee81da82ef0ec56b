// What one target of the PRG provides. Blocks are 16 bytes, pointers need no alignment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace petcore::prg {

constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kRounds = 10;
constexpr std::size_t kScheduleBytes = kBlockBytes * (kRounds + 1);

// Mix says what is written for a keystream word s and an input word x, modulo 2^64.
enum class Mix : std::uint8_t {
  keystream /* s */,
  add /* x + s */,
  subtract /* x - s */,
  exclusive_or /* x ^ s */
};

// Run is a stretch of whole blocks of keystream and where it goes.
struct Run {
  const std::byte* schedule;
  std::size_t num_blocks;
  // Block i is AES of the 128-bit big-endian counter (high, low + i); low + num_blocks fits 64
  // bits.
  std::uint64_t high, low;
  Mix mix;
  std::byte* out;
  const std::byte* x;  // read unless mix is keystream; may be out
  std::byte* stream;   // takes the keystream besides; may be null
  bool around_cache;   // write past the caches, where the target can
};

// Fold: 2^num_bits streams of keystream, and where their sums (exclusive or) go.
constexpr unsigned kFoldBitsMax = 8;
struct Fold {
  const std::byte* schedules;  // kScheduleBytes for each stream
  unsigned num_bits;           // 1 to kFoldBitsMax
  bool skip_first;             // stream 0 counts as zero
  std::size_t num_blocks;
  std::uint64_t high, low;  // the counter of every stream, as in Run
  std::byte* sum;           // of all streams; may be null
  std::byte* of_bits;       // at j * stride: of the streams whose number has bit j
  std::size_t stride;
};

struct Kernels {
  // expand writes the key schedule in the form that the same row's other functions read; its first
  // block is always the key itself.
  void (*expand)(std::byte* schedule, const std::byte* key);
  void (*counter)(const Run& run);
  // encrypt is AES on each block; out may be in.
  void (*encrypt)(const std::byte* schedule, std::byte* out, const std::byte* in,
                  std::size_t num_blocks);
  // hash is the tweaked hash of crh.h with the tweak (high, low + i) for block i; out may be in.
  void (*hash)(const std::byte* schedule, std::byte* out, const std::byte* in,
               std::size_t num_blocks, std::uint64_t tweak_high, std::uint64_t tweak_low);
  // hash_low_words hashes block i ^ offset in the same way and keeps the low word of the result;
  // `offset` is one block, aligned.
  void (*hash_low_words)(const std::byte* schedule, std::uint64_t* out, const std::byte* in,
                         const std::byte* offset, std::size_t num_blocks, std::uint64_t tweak_high,
                         std::uint64_t tweak_low);
  void (*fold)(const Fold& run);
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
