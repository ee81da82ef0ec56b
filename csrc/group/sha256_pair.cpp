#include "group/sha256_pair.h"

#include <algorithm>

#include "base/error.h"
#include "group/sha256_kernels.h"
#include "simd/target.h"

namespace petcore::group {
namespace {

using simd::Cpu;
using simd::Tier;
using Row = simd::Row<Sha256Kernels>;

void pair_by_library(std::byte* out, const std::byte* x, const std::byte* y,
                     std::size_t num_bytes) {
  for (const std::byte* message : {x, y}) {
    const std::array<ConstBytes, 1> parts = {ConstBytes(message, num_bytes)};
    std::ranges::copy(sha256(parts), out);
    out += sizeof(Digest);
  }
}

constexpr Sha256Kernels kLibrary = {pair_by_library};

std::span<const Row> table() {
  static const std::array<Row, 2> rows = {{
      {"sha", Tier::aesni, [](const Cpu& c) { return c.sha; }, kSha256X86},
      {"portable", Tier::portable, [](const Cpu&) { return true; }, kSha256Library},
  }};
  return rows;
}

const Sha256Kernels& choose(std::string_view target) {
  if (!target.empty()) return simd::named(table(), target);
  static const Sha256Kernels& best = simd::widest(table());
  return best;
}

}  // namespace

constinit const Sha256Kernels* const kSha256Library = &kLibrary;

std::array<Digest, 2> sha256_pair(ConstBytes x, ConstBytes y, std::string_view target) {
  check(x.size() == y.size(), Code::usage, "sha256_pair: the messages have different lengths");
  std::array<Digest, 2> out;
  choose(target).pair(out[0].data(), x.data(), y.data(), x.size());
  return out;
}

std::vector<std::string_view> sha256_targets() { return simd::usable_names(table()); }

}  // namespace petcore::group
