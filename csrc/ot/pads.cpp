#include "ot/pads.h"

namespace petcore::ot {

void Pads::hash(std::span<const Block> x, Block offset, hash::Tweak first) {
  if (made_.size() < x.size()) made_ = Buffer<Block>(x.size());
  size_ = x.size();
  choose().shifted(made_.data(), x.data(), offset, size_);
  const Bytes bytes = std::as_writable_bytes(made_.span().first(size_));
  hash::crh(bytes, bytes, first);
}

Words Pads::word(unsigned index) {
  if (words_.size() < size_) words_ = Buffer<std::uint64_t>(size_);
  const auto take = index == 0 ? choose().low_words : choose().high_words;
  take(words_.data(), made_.data(), size_);
  return words_.span().first(size_);
}

Words Pads::low_words(std::span<const Block> x, Block offset, hash::Tweak first) {
  if (words_.size() < x.size()) words_ = Buffer<std::uint64_t>(x.size());
  const Words out = words_.span().first(x.size());
  hash::crh_low_words(out, x, offset, first);
  return out;
}

}  // namespace petcore::ot
