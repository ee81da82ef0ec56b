#include <array>

#include "ot/ot_kernels.h"
#include "simd/target.h"

namespace petcore::ot {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Kernels>;

std::span<const Row> table() {
  static const std::array<Row, 3> rows = {{
      {"avx512", Tier::avx512, [](const Cpu& c) { return c.avx512; }, kAvx512},
      {"avx2", Tier::avx2, [](const Cpu& c) { return c.avx2; }, kAvx2},
      {"portable", Tier::portable, [](const Cpu&) { return true; }, kPortable},
  }};
  return rows;
}

}  // namespace

const Kernels& choose(std::string_view target) {
  if (!target.empty()) return simd::named(table(), target);
  static const Kernels& best = simd::widest(table());
  return best;
}

std::vector<std::string_view> targets() { return simd::usable_names(table()); }

}  // namespace petcore::ot
