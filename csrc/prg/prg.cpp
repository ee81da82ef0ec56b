#include "prg/prg.h"

#include <cstring>
#include <limits>

#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::prg {

Prg::Prg(const Seed& seed, std::string_view target) : kernels_(&choose(target)) {
  kernels_->expand(round_keys_.data(), seed.data());
}

Prg::~Prg() { wipe(round_keys_.data(), round_keys_.size()); }

void Prg::fill(Bytes out, std::uint64_t first_block) const {
  const std::size_t whole = out.size() / kBlockBytes, rest = out.size() % kBlockBytes;
  check(whole <= std::numeric_limits<std::uint64_t>::max() - first_block, Code::usage,
        "the block counter of a PRG would wrap around");
  if (whole > 0) kernels_->counter(round_keys_.data(), out.data(), whole, first_block);
  if (rest == 0) return;
  std::array<std::byte, kBlockBytes> last;
  kernels_->counter(round_keys_.data(), last.data(), 1, first_block + whole);
  std::memcpy(out.data() + whole * kBlockBytes, last.data(), rest);
  wipe(last.data(), last.size());
}

void Prg::fill_words(Words out, std::uint64_t first_word) const {
  check(first_word % 2 == 0, Code::usage, "a PRG is read from an even word on");
  fill(std::as_writable_bytes(out), first_word / 2);
}

Seed derive(const Seed& seed, const std::array<std::uint64_t, 6>& label) {
  const Kernels& kernels = choose("");
  alignas(16) std::array<std::byte, kScheduleBytes> schedule;
  kernels.expand(schedule.data(), seed.data());
  std::array<std::uint64_t, 2> state = {0, 0};
  auto* bytes = reinterpret_cast<std::byte*>(state.data());
  for (std::size_t i = 0; i < label.size(); i += 2) {
    state[0] ^= label[i];
    state[1] ^= label[i + 1];
    kernels.encrypt(schedule.data(), bytes, bytes, 1);
  }
  wipe(schedule.data(), schedule.size());
  Seed derived;
  std::memcpy(derived.data(), bytes, derived.size());
  wipe(state.data(), sizeof(state));
  return derived;
}

}  // namespace petcore::prg
