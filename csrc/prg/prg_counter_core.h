// Counter mode for every vector target of the PRG; the second part of prg_core.h, which has the
// rules for including it.
//
// Within 256 blocks that share all but the last byte of the counter, that byte reaches one column
// of the state in the first round, by exclusive or: round 1 of block i is round 1 of the first
// block, plus a difference that only the key and i decide. Long runs look the differences up, as
// in Bernstein and Schwabe, "New AES Software Speed Records", INDOCRYPT 2008, section 4 ("counter-
// mode caching"). The index is the public counter, so no address depends on a secret.
#pragma once

constexpr std::size_t kSpan = 256;

// A run has to be this long before the table of differences pays for itself.
constexpr std::size_t kLongRunBlocks = 8 * kSpan;

// Where the next blocks go.
struct Place {
  std::byte* out;
  const std::byte* x;  // out where nothing is read
  std::byte* stream;
  bool around_cache;

  void move(std::size_t num_bytes) {
    out += num_bytes;
    x += num_bytes;
    if (stream != nullptr) stream += num_bytes;
  }
};

template <Mix kMix>
inline __attribute__((always_inline)) V mixed(const std::byte* x, V s) {
  if constexpr (kMix == Mix::add) return Lane::add(Lane::load(x), s);
  if constexpr (kMix == Mix::subtract) return Lane::subtract(Lane::load(x), s);
  if constexpr (kMix == Mix::exclusive_or) return Lane::exclusive_or(Lane::load(x), s);
  return s;
}

template <Mix kMix>
inline std::uint64_t mixed_word(std::uint64_t x, std::uint64_t s) {
  if constexpr (kMix == Mix::add) return x + s;
  if constexpr (kMix == Mix::subtract) return x - s;
  if constexpr (kMix == Mix::exclusive_or) return x ^ s;
  return s;
}

inline __attribute__((always_inline)) void write_flight(std::byte* to, const V* s,
                                                        bool around_cache) {
  if (!around_cache) return store_flight(to, s);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) Lane::store_around(to + i * sizeof(V), s[i]);
}

template <Mix kMix>
inline __attribute__((always_inline)) void emit(Place& to, V* s) {
  if (to.stream != nullptr) write_flight(to.stream, s, to.around_cache);
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kFlight; ++i) s[i] = mixed<kMix>(to.x + i * sizeof(V), s[i]);
  write_flight(to.out, s, to.around_cache);
  to.move(sizeof(Group));
}

// less_than_a_group goes through memory on the stack.
template <Mix kMix>
void less_than_a_group(Place& to, V& next, const V* keys, std::size_t num_blocks) {
  if (num_blocks == 0) return;
  V s[kFlight];
  counter_flight(s, keys, next);
  Group made;
  store_flight(made.bytes, s);
  const std::size_t num_bytes = num_blocks * kBlockBytes;
  if (to.stream != nullptr) __builtin_memcpy(to.stream, made.bytes, num_bytes);
  for (std::size_t at = 0; kMix != Mix::keystream && at < num_bytes; at += 8) {
    std::uint64_t x, word;
    __builtin_memcpy(&x, to.x + at, 8);
    __builtin_memcpy(&word, made.bytes + at, 8);
    word = mixed_word<kMix>(x, word);
    __builtin_memcpy(made.bytes + at, &word, 8);
  }
  __builtin_memcpy(to.out, made.bytes, num_bytes);
  to.move(num_bytes);
  next = Lane::advance(next, num_blocks);
}

template <Mix kMix>
void in_groups(Place& place, V& next, const V* keys, std::size_t num_blocks) {
  Place to = place;  // a copy that stores through bytes cannot change
  V at = next;
  for (; num_blocks >= kGroup; num_blocks -= kGroup) {
    V s[kFlight];
    counter_flight(s, keys, at);
    at = Lane::advance(at, kGroup);
    emit<kMix>(to, s);
  }
  less_than_a_group<kMix>(to, at, keys, num_blocks);
  place = to;
  next = at;
}

// Differences of round 1, for the last bytes 256 - kBlocks, ..., 255, 0, 1, ..., 255.
struct alignas(64) Differences {
  std::byte bytes[(Lane::kBlocks + kSpan) * kBlockBytes];

  explicit Differences(const V* keys) {
    const V first = first_round(V{}, keys);
    V next = Lane::counters(0, 0);
    for (std::size_t i = 0; i < kSpan; i += Lane::kBlocks) {
      const V x = first_round(Lane::counter_block(next), keys);
      Lane::store(bytes + (Lane::kBlocks + i) * kBlockBytes, Lane::exclusive_or(x, first));
      next = Lane::advance(next, Lane::kBlocks);
    }
    __builtin_memcpy(bytes, bytes + kSpan * kBlockBytes, Lane::kBlocks * kBlockBytes);
  }
  Differences(const Differences&) = delete;
  Differences& operator=(const Differences&) = delete;
  ~Differences() {
    __builtin_memset(bytes, 0, sizeof(bytes));
    asm volatile("" : : "r"(bytes) : "memory");  // or the compiler drops the line above
  }
};

// in_spans makes kSpan blocks at a time. They begin `early` < kBlocks blocks before the last byte
// of the counter is 0, so that one vector may take its bases from two spans.
template <Mix kMix>
void in_spans(Place& place, V& next, const V* keys, std::size_t early, std::size_t num_spans) {
  const Differences differences(keys);
  const std::byte* table = differences.bytes + (Lane::kBlocks - early) * kBlockBytes;
  Place to = place;
  for (; num_spans > 0; --num_spans) {
    V base = first_round(Lane::counter_block(Lane::clear_last_byte(next)), keys);
    const V rest = first_round(
        Lane::counter_block(Lane::clear_last_byte(Lane::advance(next, kSpan - Lane::kBlocks))),
        keys);
    for (std::size_t i = 0; i < kSpan; i += kGroup) {
      V s[kFlight];
      load_flight(s, table + i * kBlockBytes);
      s[0] = Lane::exclusive_or(s[0], base);
#pragma GCC unroll 8
      for (std::size_t j = 1; j < kFlight; ++j) s[j] = Lane::exclusive_or(s[j], rest);
      base = rest;
      rounds_from<2>(s, keys);
      emit<kMix>(to, s);
    }
    next = Lane::advance(next, kSpan);
  }
  place = to;
}

// blocks_to_alignment is how many blocks to write before vectors at `to` are aligned; kNever where
// no number of blocks does that.
constexpr std::size_t kNever = kGroup;

inline std::size_t blocks_to_alignment(const std::byte* to) {
  const std::size_t off = reinterpret_cast<std::uintptr_t>(to) % sizeof(V);
  if (off % kBlockBytes != 0) return kNever;
  return off == 0 ? 0 : (sizeof(V) - off) / kBlockBytes;
}

template <Mix kMix>
void counter_mixed(const Run& run) {
  V keys[kRounds + 1];
  load_keys(keys, run.schedule);
  V next = Lane::counters(run.low, run.high);
  const std::byte* x = kMix == Mix::keystream ? run.out : run.x;
  Place to{run.out, x, run.stream, run.around_cache};
  std::size_t left = run.num_blocks;
  const std::size_t head = blocks_to_alignment(to.out);
  if (to.around_cache)
    to.around_cache = head != kNever && head < left &&
                      (to.stream == nullptr || blocks_to_alignment(to.stream) == head);
  if (to.around_cache) {
    less_than_a_group<kMix>(to, next, keys, head);
    left -= head;
  }
  if (left >= kLongRunBlocks) {
    const std::size_t low = static_cast<std::size_t>(run.low) + (run.num_blocks - left);
    const std::size_t border = (kSpan - low % kSpan) % kSpan, early = border % Lane::kBlocks;
    in_groups<kMix>(to, next, keys, border - early);
    left -= border - early;
    in_spans<kMix>(to, next, keys, early, left / kSpan);
    left %= kSpan;
  }
  in_groups<kMix>(to, next, keys, left);
  if (to.around_cache) Lane::fence();
}

void counter(const Run& run) {
  switch (run.mix) {
    case Mix::keystream:
      return counter_mixed<Mix::keystream>(run);
    case Mix::add:
      return counter_mixed<Mix::add>(run);
    case Mix::subtract:
      return counter_mixed<Mix::subtract>(run);
    case Mix::exclusive_or:
      return counter_mixed<Mix::exclusive_or>(run);
  }
}
