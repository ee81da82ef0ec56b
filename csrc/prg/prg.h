// AES-128-CTR as a pseudorandom generator (NIST SP 800-38A, section 6.5; FIPS 197).
// Not an authenticated cipher. A Prg is a pure function of its seed: it keeps no position, so two
// calls with the same offset give the same bytes; callers never ask for the same words twice.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/buffer.h"

namespace petcore::prg {

struct Kernels;  // one row of the table of targets, see prg_kernels.h

using Seed = std::array<std::byte, 16>;

class Prg {
 public:
  // Prg expands the key schedule. target "" means the widest this CPU runs (or PETCORE_TARGET);
  // a target that is unknown or cannot run here raises Code::usage.
  explicit Prg(const Seed& seed, std::string_view target = "");
  ~Prg();
  Prg(Prg&&) noexcept = default;
  Prg& operator=(Prg&&) noexcept = default;

  // fill writes keystream bytes: block i of out is AES(seed, (high, first_block + i)), the counter
  // one big-endian number of 128 bits.
  void fill(Bytes out, std::uint64_t first_block = 0, std::uint64_t high = 0) const;

  // The others write words made of the keystream's words s (little-endian, from first_word on) and
  // of x, modulo 2^64, without a second pass over memory. All spans of a call have one size
  // (Code::usage otherwise); an output may be x, never a partial overlap.
  void fill_words(Words out, std::uint64_t first_word = 0) const;                  // s
  void add(Words out, ConstWords x, std::uint64_t first_word = 0) const;           // x + s
  void subtract(Words out, ConstWords x, std::uint64_t first_word = 0) const;      // x - s
  void exclusive_or(Words out, ConstWords x, std::uint64_t first_word = 0) const;  // x ^ s
  // split makes two additive shares of x: s and x - s.
  void split(Words stream, Words rest, ConstWords x, std::uint64_t first_word = 0) const;

 private:
  struct Work;
  void run(const Work& work, std::uint64_t first_word) const;

  alignas(16) std::array<std::byte, 176> round_keys_;
  const Kernels* kernels_;
};

// derive gives an independent seed for a fixed-length label: CBC-MAC over exactly three blocks.
Seed derive(const Seed& seed, const std::array<std::uint64_t, 6>& label);

// random_seed and random_bytes draw from the system's CSPRNG; failure raises Code::entropy.
Seed random_seed();
void random_bytes(Bytes out);

// targets lists the targets this machine can run, widest first ("portable" is always last).
std::vector<std::string_view> targets();
std::string_view chosen_target();  // where the caller forces none

}  // namespace petcore::prg
