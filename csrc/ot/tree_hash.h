// The hash of half_tree.h for runs of tree nodes: pi(s(x)) ^ s(x) under one public AES key.
#pragma once

#include <array>
#include <cstddef>

#include "base/block.h"
#include "prg/prg.h"
#include "prg/prg_kernels.h"

namespace petcore::ot {

class TreeHash {
 public:
  explicit TreeHash(const prg::Seed& key) : kernels_(prg::choose("")) {
    kernels_.expand(schedule_.data(), key.data());
  }
  // hash writes n blocks; out is not x.
  void hash(Block* out, const Block* x, std::size_t n) const {
    Block turned[kRun];
    for (; n > 0; n -= std::min(n, kRun), out += kRun, x += kRun) {
      const std::size_t run = std::min(n, kRun);
      for (std::size_t i = 0; i < run; ++i) turned[i] = {x[i].low ^ x[i].high, x[i].low};
      encrypt(out, turned, run);
      for (std::size_t i = 0; i < run; ++i) out[i] ^= turned[i];
    }
  }

 private:
  static constexpr std::size_t kRun = 64;
  void encrypt(Block* out, const Block* in, std::size_t n) const {
    kernels_.encrypt(schedule_.data(), reinterpret_cast<std::byte*>(out),
                     reinterpret_cast<const std::byte*>(in), n);
  }

  const prg::Kernels& kernels_;
  alignas(16) std::array<std::byte, prg::kScheduleBytes> schedule_;
};

}  // namespace petcore::ot
