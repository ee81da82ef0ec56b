#include "simd/target.h"

#include <array>
#include <sstream>

namespace petcore::simd {
namespace {

struct TierRow {
  std::string_view name;
  Tier tier;
  bool (*runs)(const Cpu&);
};

constexpr std::array<TierRow, 5> kTiers = {{
    {"avx512", Tier::avx512, [](const Cpu& c) { return c.avx512; }},
    {"avx2", Tier::avx2, [](const Cpu& c) { return c.avx2; }},
    {"aesni", Tier::aesni, [](const Cpu& c) { return c.aesni; }},
    {"neon", Tier::neon, [](const Cpu& c) { return c.neon; }},
    {"portable", Tier::portable, [](const Cpu&) { return true; }},
}};

Tier read_forced_tier() {
  const std::string asked = forced_target();
  if (asked.empty()) return Tier::avx512;
  std::vector<std::string_view> usable;
  for (const auto& row : kTiers) {
    if (!row.runs(cpu())) continue;
    if (row.name == asked) return row.tier;
    usable.push_back(row.name);
  }
  cannot_run("PETCORE_TARGET=" + asked, usable);
}

}  // namespace

Tier forced_tier() {
  static const Tier tier = read_forced_tier();
  return tier;
}

void cannot_run(std::string_view asked, const std::vector<std::string_view>& usable) {
  std::ostringstream text;
  text << "the target '" << asked << "' is unknown or cannot run on this processor; it runs";
  const char* separator = " ";
  for (const auto name : usable) {
    text << separator << name;
    separator = ", ";
  }
  throw Error(Code::usage, text.str());
}

}  // namespace petcore::simd
