#include "ot/pads.h"

namespace petcore::ot {

void Pads::hash(std::span<const Block> x, Block offset, hash::Tweak first) {
  if (made_.size() < x.size()) made_ = Buffer<Block>(x.size());
  size_ = x.size();
  for (std::size_t i = 0; i < size_; ++i) made_[i] = x[i] ^ offset;
  const Bytes bytes = std::as_writable_bytes(made_.span().first(size_));
  hash::crh(bytes, bytes, first);
}

void Pads::word(Words out, unsigned index) const {
  if (index == 0) {
    for (std::size_t i = 0; i < size_; ++i) out[i] = made_[i].low;
  } else {
    for (std::size_t i = 0; i < size_; ++i) out[i] = made_[i].high;
  }
}

}  // namespace petcore::ot
