#include "hash/crh.h"

#include <array>

#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::hash {
namespace {

// The first sixteen bytes of the fractional part of pi (as in Blowfish's P-array): nobody chose it.
constexpr std::array<std::uint8_t, kBlockBytes> kFixedKey = {
    0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3, 0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44};

// Pi is the permutation, ready for one target.
struct Pi {
  const prg::Kernels& kernels;
  alignas(16) std::array<std::byte, prg::kScheduleBytes> schedule;

  explicit Pi(std::string_view target) : kernels(prg::choose(target)) {
    expand_fixed_key(schedule.data(), kernels);
  }
};

}  // namespace

void crh(Bytes out, ConstBytes in, Tweak first, std::string_view target) {
  check(out.size() == in.size(), Code::usage, "crh: out and in have different sizes");
  check(in.size() % kBlockBytes == 0, Code::usage,
        "crh: the input is not whole blocks of 16 bytes");
  const Pi pi(target);
  pi.kernels.hash(pi.schedule.data(), out.data(), in.data(), in.size() / kBlockBytes, first.high,
                  first.low);
}

void crh_low_words(Words out, std::span<const Block> in, Block offset, Tweak first,
                   std::string_view target) {
  check(out.size() == in.size(), Code::usage, "crh: out and in have different sizes");
  const Pi pi(target);
  pi.kernels.hash_low_words(pi.schedule.data(), out.data(), std::as_bytes(in).data(),
                            reinterpret_cast<const std::byte*>(&offset), in.size(), first.high,
                            first.low);
}

void expand_fixed_key(std::byte* schedule, const prg::Kernels& kernels) {
  kernels.expand(schedule, reinterpret_cast<const std::byte*>(kFixedKey.data()));
}

}  // namespace petcore::hash
