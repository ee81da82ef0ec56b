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

void to_slices(Words out, ConstWords in, unsigned width, std::string_view target) {
  check(width >= 1 && width <= 64, Code::usage, kSizes);
  transpose(out, in, in.size(), width, target);
}

void from_slices(Words out, ConstWords slices, unsigned width, std::string_view target) {
  check(width >= 1 && width <= 64, Code::usage, kSizes);
  transpose(out, slices, width, out.size(), target);
}

void narrow(Words out, ConstWords in, unsigned num_bytes, std::string_view target) {
  const bool fits = num_bytes >= 1 && num_bytes <= 8;
  check(fits && out.size() == narrow_words(in.size(), num_bytes), Code::usage, kSizes);
  choose(target).narrow(out.data(), in.data(), in.size(), num_bytes);
}

void widen_sum(Words out, ConstWords x, ConstWords y, unsigned num_bytes, std::string_view target) {
  const bool fits = num_bytes >= 1 && num_bytes <= 8 && x.size() == y.size();
  check(fits && x.size() == narrow_words(out.size(), num_bytes), Code::usage, kSizes);
  choose(target).widen_sum(out.data(), x.data(), y.data(), out.size(), num_bytes);
}

void transpose(Words out, ConstWords in, std::size_t rows, std::size_t columns,
               std::string_view target) {
  const bool fits =
      in.size() == rows * num_words(columns) && out.size() == columns * num_words(rows);
  check(fits, Code::usage, kSizes);
  choose(target).transpose(out.data(), in.data(), rows, columns);
}

}  // namespace petcore::bits
