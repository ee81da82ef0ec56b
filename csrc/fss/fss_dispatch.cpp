#include <array>

#include "fss/fss_kernels.h"
#include "simd/target.h"

namespace petcore::fss {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Kernels>;

std::span<const Row> table() {
  static const std::array<Row, 5> rows = {{
      {"vaes512", Tier::avx512, [](const Cpu& c) { return c.avx512 && c.vaes; }, kVaes512},
      {"vaes256", Tier::avx2, [](const Cpu& c) { return c.vaes; }, kVaes256},
      {"aesni", Tier::aesni, [](const Cpu& c) { return c.aesni; }, kAesni},
      {"neon", Tier::neon, [](const Cpu& c) { return c.neon_aes; }, kNeon},
      {"portable", Tier::portable, [](const Cpu&) { return true; }, kPortable},
  }};
  return rows;
}

}  // namespace

Target choose(std::string_view target) {
  if (target.empty()) target = chosen_target();
  return {target, simd::named(table(), target), prg::choose(target)};
}

std::vector<std::string_view> targets() { return simd::usable_names(table()); }

std::string_view chosen_target() {
  static const std::string_view best = simd::widest_row(table()).name;
  return best;
}

}  // namespace petcore::fss
