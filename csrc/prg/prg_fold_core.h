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
constexpr std::size_t kStripBytes = kStripGroups * sizeof(Group);

// fold_strip adds one stream to the running sum, and the running sum to that of a bit; where one
// of them begins here, what lies in memory does not count.
template <bool kFirst, bool kFirstOfBit>
inline void fold_strip(const V* keys, V next, std::byte* sum, std::byte* of_bit,
                       std::size_t num_groups) {
  for (std::size_t g = 0; g < num_groups; ++g, sum += sizeof(Group), of_bit += sizeof(Group)) {
    V x[kFlight];
    counter_flight(x, keys, next);
    next = Lane::advance(next, kGroup);
    if constexpr (!kFirst) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kFlight; ++i)
        x[i] = Lane::exclusive_or(x[i], Lane::load(sum + i * sizeof(V)));
    }
    store_flight(sum, x);
    if constexpr (!kFirstOfBit) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kFlight; ++i)
        x[i] = Lane::exclusive_or(x[i], Lane::load(of_bit + i * sizeof(V)));
    }
    store_flight(of_bit, x);
  }
}

// fold_columns does one strip; of_bits rows lie `stride` apart.
inline void fold_columns(const Fold& run, std::uint64_t low, std::byte* sum, std::byte* of_bits,
                         std::size_t stride, std::size_t num_groups) {
  const std::size_t num_streams = std::size_t{1} << run.num_bits, first = run.skip_first ? 1 : 0;
  // Without stream 0 the sum of bit 0 begins as zero, and the first stream's running sum is its
  // own.
  if (run.skip_first) __builtin_memset(of_bits, 0, num_groups * sizeof(Group));
  for (std::size_t i = first; i < num_streams; ++i) {
    V keys[kRounds + 1];
    load_keys(keys, run.schedules + (i ^ i >> 1) * kScheduleBytes);
    const bool last = i + 1 == num_streams;
    const unsigned bit = last ? run.num_bits - 1 : static_cast<unsigned>(__builtin_ctzll(i + 1));
    const bool begins = !last && (i & (i + 1)) == 0;
    const V next = Lane::counters(low, run.high);
    std::byte* const of_bit = of_bits + bit * stride;
    if (i == first && begins)
      fold_strip<true, true>(keys, next, sum, of_bit, num_groups);
    else if (i == first)
      fold_strip<true, false>(keys, next, sum, of_bit, num_groups);
    else if (begins)
      fold_strip<false, true>(keys, next, sum, of_bit, num_groups);
    else
      fold_strip<false, false>(keys, next, sum, of_bit, num_groups);
  }
}

void fold(const Fold& run) {
  alignas(64) std::byte sums[(kFoldBitsMax + 1) * kStripBytes];
  const std::size_t num_bytes = run.num_blocks * kBlockBytes;
  for (std::size_t at = 0; at < num_bytes; at += kStripBytes) {
    const std::size_t size = num_bytes - at < kStripBytes ? num_bytes - at : kStripBytes;
    const std::size_t num_groups = (size + sizeof(Group) - 1) / sizeof(Group);
    const std::uint64_t low = run.low + at / kBlockBytes;
    if (size % sizeof(Group) == 0) {
      std::byte* const sum = run.sum != nullptr ? run.sum + at : sums;
      fold_columns(run, low, sum, run.of_bits + at, run.stride, num_groups);
      continue;
    }
    fold_columns(run, low, sums, sums + kStripBytes, kStripBytes, num_groups);
    if (run.sum != nullptr) __builtin_memcpy(run.sum + at, sums, size);
    for (unsigned j = 0; j < run.num_bits; ++j)
      __builtin_memcpy(run.of_bits + j * run.stride + at, sums + (1 + j) * kStripBytes, size);
  }
  __builtin_memset(sums, 0, sizeof(sums));
  asm volatile("" : : "r"(sums) : "memory");  // or the compiler drops the line above
}
