#include "prg/word_stream.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "prg/prg_kernels.h"

namespace petcore::prg {

WordStream::~WordStream() {
  wipe(key_.data(), key_.size());
  wipe(made_.data(), made_.size());
}

inline std::uint64_t WordStream::next() {
  const std::size_t word = (next_ + 1) & ~std::size_t{1};
  if (word == kHalves) [[unlikely]]
    return refill_and_next();
  next_ = word + 2;
  return load_le<std::uint64_t>(at(word));
}

std::uint64_t WordStream::next64(void* stream) noexcept {
  return static_cast<WordStream*>(stream)->next();
}

std::uint32_t WordStream::next32(void* stream) noexcept {
  auto& self = *static_cast<WordStream*>(stream);
  if (self.next_ == kHalves) [[unlikely]]
    return self.refill_and_next32();
  return load_le<std::uint32_t>(self.at(self.next_++));
}

double WordStream::next_double(void* stream) noexcept {
  return static_cast<double>(static_cast<WordStream*>(stream)->next() >> 11) * 0x1p-53;
}

// Out of line and last in their callers, so that a draw from what is made saves no registers.
std::uint64_t WordStream::refill_and_next() {
  seek(first_ + kHalves / 2, false);
  return next();
}

std::uint32_t WordStream::refill_and_next32() {
  seek(first_ + kHalves / 2, false);
  return next32(this);
}

void WordStream::fill(Bytes out) {
  const std::size_t begin = (next_ + 1) & ~std::size_t{1};
  const std::size_t at_hand = std::min(out.size(), (kHalves - begin) * sizeof(std::uint32_t));
  std::memcpy(out.data(), at(begin), at_hand);
  next_ = begin + 2 * ((at_hand + 7) / 8);
  out = out.subspan(at_hand);
  if (out.empty()) return;
  const Position beyond = first_ + kHalves / 2;
  make(out, beyond / 2);
  seek(beyond + (Position{out.size()} + 7) / 8, false);
}

WordStream::State WordStream::state() const { return {key_, position(), next_ % 2 == 1}; }

void WordStream::set_state(const State& state) {
  prg_ = Prg(state.key);
  key_ = state.key;
  seek(state.position, state.has_half);
}

void WordStream::advance(Position words) { seek(position() + words, false); }

void WordStream::seek(Position position, bool has_half) {
  const Position word = position - (has_half ? 1 : 0);
  const auto odd = static_cast<std::size_t>(word % 2);
  first_ = word - odd;
  next_ = 2 * odd + (has_half ? 1 : 0);
  make(made_, first_ / 2);
}

// The PRG counts in the low 64 bits; here a carry goes into the high ones, and block 2^127, which
// holds word 2^128, is block 0 again.
void WordStream::make(Bytes out, Position first_block) const {
  while (!out.empty()) {
    const auto low = static_cast<std::uint64_t>(first_block);
    const auto high = static_cast<std::uint64_t>(first_block >> 64) << 1 >> 1;
    const std::uint64_t blocks_to_carry = std::max(-low, std::uint64_t{low == 0} << 58);
    const std::size_t now =
        blocks_to_carry > out.size() / kBlockBytes ? out.size() : blocks_to_carry * kBlockBytes;
    prg_.fill(out.first(now), low, high);
    out = out.subspan(now);
    first_block += blocks_to_carry;
  }
}

}  // namespace petcore::prg
