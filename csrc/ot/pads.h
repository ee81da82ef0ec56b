// Pads: what the two parties of correlated transfers hash their blocks into. The sender has both
// pads of each transfer, the receiver the one of its choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "hash/crh.h"
#include "ot/cot.h"
#include "ot/ot_kernels.h"

namespace petcore::ot {

// kPadsAtOnce transfers are best hashed together: their pads stay in the caches.
constexpr std::size_t kPadsAtOnce = 1024;

class Pads {
 public:
  // hash makes the pads of one kind of choice: of x ^ offset under the tweaks from first on.
  void hash(std::span<const Block> x, Block offset, hash::Tweak first);
  // word gives word 0 or 1 of every pad, until the next call.
  Words word(unsigned index);
  // low_words is hash and word 0 in one.
  Words low_words(std::span<const Block> x, Block offset, hash::Tweak first);
  const Block* data() const { return made_.data(); }

 private:
  Buffer<Block> made_;
  Buffer<std::uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace petcore::ot
