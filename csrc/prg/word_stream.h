// WordStream: AES-128-CTR read one word after the other, as a random bit generator asks for it.
//
// Word p of the stream is half p % 2 of AES(key, p / 2), little-endian, the counter big-endian in
// 128 bits. p counts modulo 2^128.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "prg/prg.h"

namespace petcore::prg {

class WordStream {
 public:
  // Position is a number of words, and a difference of two, modulo 2^128.
  __extension__ using Position = unsigned __int128;

  // State is everything that decides what comes next.
  struct State {
    Seed key;
    Position position;
    bool has_half;  // the high half of the word before position is still to be given out
  };

  explicit WordStream(const Seed& key) : prg_(key), key_(key) { seek(0, false); }
  ~WordStream();
  WordStream(const WordStream&) = delete;
  WordStream& operator=(const WordStream&) = delete;

  // The three draws take a WordStream as C code holds it; they throw nothing.
  static std::uint64_t next64(void* stream) noexcept;
  // next32 gives a word's low half, then its high half; whoever draws a word in between passes the
  // high half over.
  static std::uint32_t next32(void* stream) noexcept;
  // next_double is uniform in [0, 1), from the 53 high bits of a word.
  static double next_double(void* stream) noexcept;

  // fill writes the next words; a last word that does not fit is cut and its rest lost.
  void fill(Bytes out);

  State state() const;
  void set_state(const State& state);
  // advance skips words, and passes over a half that is still to be given out.
  void advance(Position words);

 private:
  // Some KiB, and no multiple of 4 KiB: whoever stores words as fast as he draws them would then
  // store at the drawn address modulo 4 KiB all the time, which processors take for the same one.
  static constexpr std::size_t kHalves = 1088;

  std::uint64_t next();
  void seek(Position position, bool has_half);
  [[gnu::noinline]] std::uint64_t refill_and_next();
  [[gnu::noinline]] std::uint32_t refill_and_next32();
  Position position() const { return first_ + (next_ + 1) / 2; }
  std::byte* at(std::size_t half) { return made_.data() + half * sizeof(std::uint32_t); }
  void make(Bytes out, Position first_block) const;

  Prg prg_;
  Seed key_;
  Position first_ = 0;    // the position of the first word made, even
  std::size_t next_ = 0;  // the half that comes next
  alignas(64) std::array<std::byte, kHalves * sizeof(std::uint32_t)> made_;
};

}  // namespace petcore::prg
