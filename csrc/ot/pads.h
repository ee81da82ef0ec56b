// Pads: what the two parties of correlated transfers hash their blocks into. The sender has both
// pads of each transfer, the receiver the one of its choice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "hash/crh.h"
#include "ot/cot.h"

namespace petcore::ot {

class Pads {
 public:
  // hash fills the pads of one kind of choice: of x ^ offset under the tweaks from first on.
  void hash(std::span<const Block> x, Block offset, hash::Tweak first);
  // word copies word 0 or 1 of every pad.
  void word(Words out, unsigned index) const;
  const Block* data() const { return made_.data(); }

 private:
  Buffer<Block> made_;
  std::size_t size_ = 0;
};

}  // namespace petcore::ot
