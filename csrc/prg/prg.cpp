#include "prg/prg.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "prg/prg_kernels.h"
#include "simd/cpu.h"

namespace petcore::prg {
namespace {

void check_counter(std::uint64_t first_block, std::size_t num_blocks) {
  constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();
  check(num_blocks == 0 || num_blocks - 1 <= kLast - first_block, Code::usage,
        "the block counter of a PRG would wrap around");
}

std::byte* bytes_of(Words words) { return std::as_writable_bytes(words).data(); }

}  // namespace

Prg::Prg(const Seed& seed, std::string_view target) : kernels_(&choose(target)) {
  kernels_->expand(round_keys_.data(), seed.data());
}

Prg::~Prg() { wipe(round_keys_.data(), round_keys_.size()); }

void Prg::fill(Bytes out, std::uint64_t first_block, std::uint64_t high) const {
  const std::size_t whole = out.size() / kBlockBytes, rest = out.size() % kBlockBytes;
  check_counter(first_block, whole + (rest > 0 ? 1 : 0));
  kernels_->counter({.schedule = round_keys_.data(),
                     .num_blocks = whole,
                     .high = high,
                     .low = first_block,
                     .mix = Mix::keystream,
                     .out = out.data(),
                     .x = nullptr,
                     .stream = nullptr,
                     .around_cache = out.size() >= simd::around_cache_bytes()});
  if (rest == 0) return;
  std::array<std::byte, kBlockBytes> last;
  fill(last, first_block + whole, high);
  std::memcpy(out.data() + whole * kBlockBytes, last.data(), rest);
  wipe(last.data(), last.size());
}

struct Prg::Work {
  Mix mix;
  Words out;
  ConstWords x;  // out where nothing is read
  Words stream;  // empty, or as long as out
};

void Prg::fill_words(Words out, std::uint64_t first_word) const {
  run({Mix::keystream, out, out, {}}, first_word);
}

void Prg::add(Words out, ConstWords x, std::uint64_t first_word) const {
  run({Mix::add, out, x, {}}, first_word);
}

void Prg::subtract(Words out, ConstWords x, std::uint64_t first_word) const {
  run({Mix::subtract, out, x, {}}, first_word);
}

void Prg::exclusive_or(Words out, ConstWords x, std::uint64_t first_word) const {
  run({Mix::exclusive_or, out, x, {}}, first_word);
}

void Prg::split(Words stream, Words rest, ConstWords x, std::uint64_t first_word) const {
  check(stream.size() == rest.size(), Code::usage, "the two shares have different sizes");
  run({Mix::subtract, rest, x, stream}, first_word);
}

// Whole blocks go to the kernel; half a block at either end goes through two words on the stack.
void Prg::run(const Work& work, std::uint64_t first_word) const {
  const std::size_t size = work.out.size();
  check(work.x.size() == size, Code::usage, "the PRG's input and output have different sizes");
  check_counter(first_word, size);
  const bool two = !work.stream.empty();
  const auto blocks = [&](std::size_t at, std::size_t num_blocks, const Work& to) {
    const bool in_place = to.mix != Mix::keystream && to.x.data() == to.out.data();
    const std::size_t written = num_blocks * kBlockBytes * (two ? 2 : 1);
    kernels_->counter({.schedule = round_keys_.data(),
                       .num_blocks = num_blocks,
                       .high = 0,
                       .low = (first_word + at) / 2,
                       .mix = to.mix,
                       .out = bytes_of(to.out),
                       .x = std::as_bytes(to.x).data(),
                       .stream = two ? bytes_of(to.stream) : nullptr,
                       .around_cache = !in_place && written >= simd::around_cache_bytes()});
  };
  const auto one_word = [&](std::size_t at) {
    const std::size_t half = (first_word + at) % 2;
    std::array<std::uint64_t, 2> x = {}, out, stream;
    x[half] = work.x[at];
    blocks(at, 1, {work.mix, out, x, stream});
    if (two) work.stream[at] = stream[half];
    work.out[at] = out[half];
    wipe(x.data(), sizeof(x)), wipe(out.data(), sizeof(out)), wipe(stream.data(), sizeof(stream));
  };
  const std::size_t head = size > 0 ? first_word % 2 : 0;
  const std::size_t num_blocks = (size - head) / 2, tail = head + 2 * num_blocks;
  if (head == 1) one_word(0);
  if (num_blocks > 0)
    blocks(head, num_blocks,
           {work.mix, work.out.subspan(head), work.x.subspan(head),
            two ? work.stream.subspan(head) : Words{}});
  if (tail < size) one_word(tail);
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
