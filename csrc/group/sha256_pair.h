// SHA-256 (FIPS 180-4) of two messages of one length, side by side: one message alone waits for
// the latency of its rounds.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "group/expand.h"

namespace petcore::group {

// Messages of different lengths raise Code::usage.
std::array<Digest, 2> sha256_pair(ConstBytes x, ConstBytes y, std::string_view target = "");

std::vector<std::string_view> sha256_targets();

}  // namespace petcore::group
