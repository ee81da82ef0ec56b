// What one target of SHA-256 provides.
#pragma once

#include <cstddef>

#include "group/sha256_pair.h"

namespace petcore::group {

struct Sha256Kernels {
  // pair hashes two messages of num_bytes; out takes one digest after the other.
  void (*pair)(std::byte* out, const std::byte* x, const std::byte* y, std::size_t num_bytes);
};

// One pointer per target, null where the architecture is another one.
extern const Sha256Kernels* const kSha256X86;
extern const Sha256Kernels* const kSha256Library;

}  // namespace petcore::group
