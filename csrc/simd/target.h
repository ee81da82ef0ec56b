// One table of targets per kernel, one rule to choose a row.
//
// A row's name is what the `target` argument takes: it forces exactly that row. PETCORE_TARGET
// holds one tier instead, and bounds every kernel at once: each takes its widest row at or below
// the tier.
//
//   portable < neon < aesni < avx2 < avx512
//
// A forced row or tier that is unknown, or that this processor cannot run, raises Code::usage and
// says which ones it can. Nothing falls back.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "simd/cpu.h"

namespace petcore::simd {

enum class Tier : std::uint8_t { portable, neon, aesni, avx2, avx512 };

// forced_tier is what PETCORE_TARGET asks for, or the highest tier when it is empty or unset.
Tier forced_tier();

// Row: kernels is null where the target is not built for this architecture.
template <class Kernels>
struct Row {
  std::string_view name;
  Tier tier;  // the lowest tier whose bound lets the row in
  bool (*runs)(const Cpu&);
  const Kernels* kernels;

  bool usable() const { return kernels != nullptr && runs(cpu()); }
};

// cannot_run raises the one error for a forced name.
[[noreturn]] void cannot_run(std::string_view asked, const std::vector<std::string_view>& usable);

template <class Kernels>
std::vector<std::string_view> usable_names(std::span<const Row<Kernels>> rows) {
  std::vector<std::string_view> names;
  for (const auto& row : rows)
    if (row.usable()) names.push_back(row.name);
  return names;
}

// widest_row is the row to use when the caller forces none. Rows are ordered widest first and the
// last one is portable.
template <class Kernels>
const Row<Kernels>& widest_row(std::span<const Row<Kernels>> rows) {
  const Tier limit = forced_tier();
  for (const auto& row : rows)
    if (row.tier <= limit && row.usable()) return row;
  throw Error(Code::internal, "a table of targets has no portable row");
}

template <class Kernels>
const Kernels& widest(std::span<const Row<Kernels>> rows) {
  return *widest_row(rows).kernels;
}

template <class Kernels>
const Kernels& named(std::span<const Row<Kernels>> rows, std::string_view target) {
  for (const auto& row : rows)
    if (row.name == target && row.usable()) return *row.kernels;
  cannot_run(target, usable_names(rows));
}

}  // namespace petcore::simd
