#include "base/error.h"

#include <array>
#include <utility>

namespace petcore {
namespace {

constexpr std::array kNames = {
    "usage",   "unreachable", "closed", "late",  "silent",      "untrusted", "frame",   "handshake",
    "step",    "aborted",     "broken", "busy",  "correlation", "store",     "key",     "locked",
    "damaged", "exhausted",   "full",   "limit", "cheated",     "leaving",   "entropy", "internal"};
static_assert(kNames.size() == static_cast<std::size_t>(Code::internal) + 1);

}  // namespace

const char* code_name(Code code) { return kNames[static_cast<std::size_t>(code)]; }

Code code_from_name(const std::string& name) {
  for (std::size_t i = 0; i < kNames.size(); ++i)
    if (name == kNames[i]) return static_cast<Code>(i);
  return Code::internal;
}

Error::Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}

Error::Error(Code code, const std::string& message, std::string party, std::string address,
             std::string step)
    : std::runtime_error(message),
      code_(code),
      party_(std::move(party)),
      address_(std::move(address)),
      step_(std::move(step)) {}

}  // namespace petcore
