// Lane for NEON with the AES instructions: one AES block to a register; see prg_flight.h.
// Included inside a target region, in an anonymous namespace.
#pragma once

struct Lane {
  using V = uint8x16_t;
  static constexpr std::size_t kBlocks = 1;

  static V load(const std::byte* from) {
    return vld1q_u8(reinterpret_cast<const std::uint8_t*>(from));
  }
  static void store(std::byte* to, V x) { vst1q_u8(reinterpret_cast<std::uint8_t*>(to), x); }
  static void store_around(std::byte* to, V x) { store(to, x); }
  static void fence() {}
  static V key(const std::byte* from) { return load(from); }
  static V exclusive_or(V x, V y) { return veorq_u8(x, y); }
  static V add(V x, V y) {
    return vreinterpretq_u8_u64(vaddq_u64(vreinterpretq_u64_u8(x), vreinterpretq_u64_u8(y)));
  }
  static V subtract(V x, V y) {
    return vreinterpretq_u8_u64(vsubq_u64(vreinterpretq_u64_u8(x), vreinterpretq_u64_u8(y)));
  }
  // AESE adds its key before the substitution, so every round takes the key of the one before.
  static V start(V x, const V*) { return x; }
  static V middle(V x, const V* keys, std::size_t r) {
    return vaesmcq_u8(vaeseq_u8(x, keys[r - 1]));
  }
  static V finish(V x, const V* keys) {
    return veorq_u8(vaeseq_u8(x, keys[kRounds - 1]), keys[kRounds]);
  }
  static V counters(std::uint64_t low, std::uint64_t high) {
    return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)));
  }
  static V advance(V x, std::size_t n) {
    const uint64x2_t step = vcombine_u64(vcreate_u64(n), vcreate_u64(0));
    return vreinterpretq_u8_u64(vaddq_u64(vreinterpretq_u64_u8(x), step));
  }
  static V clear_last_byte(V x) { return vsetq_lane_u8(0, x, 0); }
  static V counter_block(V x) {
    const uint8x16_t words = vrev64q_u8(x);
    return vextq_u8(words, words, 8);
  }
};
