#include "bits/bits.h"

#include "base/error.h"
#include "bits/bits_kernels.h"

namespace petcore::bits {
namespace {

constexpr const char* kSizes = "bits: the output has the wrong size for this input";

}  // namespace

void pack(Words out, std::span<const std::uint8_t> in, std::string_view target) {
  check(out.size() == num_words(in.size()), Code::usage, kSizes);
  choose(target).pack(out.data(), in.data(), in.size());
}

void unpack(std::span<std::uint8_t> out, ConstWords in, std::string_view target) {
  check(in.size() == num_words(out.size()), Code::usage, kSizes);
  choose(target).unpack(out.data(), in.data(), out.size());
}

void to_slices(Words out, ConstWords in, std::string_view target) {
  transpose(out, in, in.size(), 64, target);
}

void from_slices(Words out, ConstWords slices, std::string_view target) {
  transpose(out, slices, 64, out.size(), target);
}

void transpose(Words out, ConstWords in, std::size_t rows, std::size_t columns,
               std::string_view target) {
  const bool fits =
      in.size() == rows * num_words(columns) && out.size() == columns * num_words(rows);
  check(fits, Code::usage, kSizes);
  choose(target).transpose(out.data(), in.data(), rows, columns);
}

}  // namespace petcore::bits
