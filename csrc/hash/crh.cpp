#include "hash/crh.h"

#include <array>

#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::hash {
namespace {

// The first sixteen bytes of the fractional part of pi (as in Blowfish's P-array): nobody chose it.
constexpr std::array<std::uint8_t, kBlockBytes> kFixedKey = {
    0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3, 0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44};

}  // namespace

void crh(Bytes out, ConstBytes in, Tweak first, std::string_view target) {
  check(out.size() == in.size(), Code::usage, "crh: out and in have different sizes");
  check(in.size() % kBlockBytes == 0, Code::usage,
        "crh: the input is not whole blocks of 16 bytes");
  const prg::Kernels& kernels = prg::choose(target);
  alignas(16) std::array<std::byte, prg::kScheduleBytes> schedule;
  expand_fixed_key(schedule.data(), kernels);
  kernels.hash(schedule.data(), out.data(), in.data(), in.size() / kBlockBytes, first.high,
               first.low);
}

void expand_fixed_key(std::byte* schedule, const prg::Kernels& kernels) {
  kernels.expand(schedule, reinterpret_cast<const std::byte*>(kFixedKey.data()));
}

}  // namespace petcore::hash
