#include "protocol/protocol.h"

#include <array>
#include <string>

namespace petcore::protocol {
namespace {

constexpr std::array<const char*, kNumOps> kNames = {
    "input",        "open",          "open_bits", "reveal",    "reveal_bits",
    "mul",          "square",        "matmul",    "and_bits",  "mul_bit",
    "msb",          "equal_zero",    "bits",      "fss_sign",  "fss_zero",
    "fss_interval", "fss_select",    "b2a",       "truncate",  "truncate_exact",
    "mask",         "masked_matmul", "exp",       "sigmoid",   "tanh",
    "log",          "sqrt",          "rsqrt",     "reciprocal"};

}  // namespace

const char* op_name(Op op) { return kNames[static_cast<std::size_t>(op)]; }

Op op_from_name(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kNumOps; ++i) {
    if (name == kNames[i]) return static_cast<Op>(i);
    if (i > 0) known += ", ";
    known += kNames[i];
  }
  throw Error(Code::usage,
              "no operation is called '" + std::string(name) + "'; there are " + known);
}

void check_frac_bits(std::uint64_t frac_bits) {
  check(frac_bits >= 16 && frac_bits <= 24, Code::usage, "functions take 16 to 24 fraction bits");
}

void check_range(BitRange range) {
  check(range.width >= 1 && range.width <= 64 && range.drop < range.width, Code::usage,
        "a comparison looks at 1 to 64 bits, and drops fewer than it looks at");
}

}  // namespace petcore::protocol
