#include <array>

#include "ring/ring.h"
#include "ring/ring_kernels.h"
#include "simd/target.h"

namespace petcore::ring {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Kernels>;

std::span<const Row> table() {
  static const std::array<Row, 4> rows = {{
      {"avx512", Tier::avx512, [](const Cpu& c) { return c.avx512; }, kAvx512},
      {"avx2", Tier::avx2, [](const Cpu& c) { return c.avx2; }, kAvx2},
      {"neon", Tier::neon, [](const Cpu& c) { return c.neon; }, kNeon},
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

std::string_view chosen_target() { return simd::widest_row(table()).name; }

}  // namespace petcore::ring
