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

  // fill writes keystream bytes: block i of out is AES(seed, first_block + i), counter big-endian
  // in the last 8 bytes, zero in the first 8.
  void fill(Bytes out, std::uint64_t first_block = 0) const;
  // fill_words is fill for 64-bit words (little-endian); first_word must be even.
  void fill_words(Words out, std::uint64_t first_word = 0) const;

 private:
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

}  // namespace petcore::prg
