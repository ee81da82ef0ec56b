// Sums of many streams for every vector target of the PRG; the third part of prg_core.h, which has
// the rules for including it.
//
// The streams come in Gray-code order (Roy, CRYPTO 2022, ePrint 2022/192, section 6.1): a running
// sum goes into the sum of bit j whenever bit j of the stream's number is about to change. Bit j
// is clear before the first stream and counts as cleared after the last, so that what each sum has
// collected are exactly the streams between.
#pragma once

// A strip of columns: its running sum and its sums stay in the L1 cache.
constexpr std::size_t kStripGroups = 4;

inline __attribute__((always_inline)) void xor_into(std::byte* to, const V* x) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i)
    Lane::store(to + i * sizeof(V), Lane::exclusive_or(Lane::load(to + i * sizeof(V)), x[i]));
}

// fold_strip adds one stream to the running sum, and the running sum to that of a bit.
inline void fold_strip(const V* keys, V next, std::byte* sum, std::byte* of_bit,
                       std::size_t num_groups) {
  for (std::size_t g = 0; g < num_groups; ++g) {
    V x[kFlight];
    counter_flight(x, keys, next);
    next = Lane::advance(next, kGroup);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kFlight; ++i) {
      x[i] = Lane::exclusive_or(x[i], Lane::load(sum + i * sizeof(V)));
      Lane::store(sum + i * sizeof(V), x[i]);
    }
    xor_into(of_bit, x);
    sum += sizeof(Group);
    of_bit += sizeof(Group);
  }
}

void fold(const Fold& run) {
  constexpr std::size_t kStrip = kStripGroups * sizeof(Group);
  alignas(64) std::byte sums[(kFoldBitsMax + 1) * kStrip];
  const std::size_t num_streams = std::size_t{1} << run.num_bits;
  const std::size_t num_bytes = run.num_blocks * kBlockBytes;
  for (std::size_t at = 0; at < num_bytes; at += kStrip) {
    const std::size_t size = num_bytes - at < kStrip ? num_bytes - at : kStrip;
    const std::size_t num_groups = (size + sizeof(Group) - 1) / sizeof(Group);
    __builtin_memset(sums, 0, (run.num_bits + 1) * kStrip);
    for (std::size_t i = run.skip_first ? 1 : 0; i < num_streams; ++i) {
      V keys[kRounds + 1];
      load_keys(keys, run.schedules + (i ^ i >> 1) * kScheduleBytes);
      const unsigned bit =
          i + 1 < num_streams ? static_cast<unsigned>(__builtin_ctzll(i + 1)) : run.num_bits - 1;
      fold_strip(keys, Lane::counters(run.low + at / kBlockBytes, run.high), sums,
                 sums + (1 + bit) * kStrip, num_groups);
    }
    if (run.sum != nullptr) __builtin_memcpy(run.sum + at, sums, size);
    for (unsigned j = 0; j < run.num_bits; ++j)
      __builtin_memcpy(run.of_bits + j * run.stride + at, sums + (1 + j) * kStrip, size);
  }
  __builtin_memset(sums, 0, sizeof(sums));
  asm volatile("" : : "r"(sums) : "memory");  // or the compiler drops the line above
}
