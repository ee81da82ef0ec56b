#include <array>

#include "prg/prg.h"
#include "prg/prg_kernels.h"
#include "simd/target.h"

namespace petcore::prg {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Kernels>;

std::span<const Row> table() {
  static const std::array<Row, 1> rows = {{
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

}  // namespace petcore::prg
