#include "correlation/price.h"

#include <algorithm>

#include "bits/bits.h"
#include "correlation/lookups.h"
#include "correlation/products.h"
#include "correlation/tables.h"
#include "correlation/trees.h"

namespace petcore::correlation {
namespace {

// Of one product of words (Gilboa), one way.
constexpr Price kWordProduct{.transfers = 64, .string_bits = 2080};
constexpr Price kResidueProduct{.transfers = 64, .string_bits = 4096};
constexpr Price kWideProduct{.transfers = 128, .string_bits = 16384};

Price times(std::uint64_t n, const Price& price) {
  return {0, n * price.transfers, n * price.string_bits};
}

// A choice each way, and `strings` strings of so many bits with it.
constexpr Price crossed(std::uint64_t strings, std::uint64_t bits) {
  return {.transfers = 2, .string_bits = 2 * strings * bits};
}
// A product of one bit of each party.
constexpr Price both_bits(std::uint64_t bits) { return {.transfers = 1, .string_bits = bits}; }

// The products of every set of `size` bits but the empty one and single bits.
Price subsets(std::size_t size) {
  Price price;
  for (std::size_t bit = 1; bit < size; ++bit) price += crossed((std::uint64_t{1} << bit) - 1, 1);
  return price;
}

Price word_price(unsigned width) {
  const std::uint64_t counted = std::min(width, 63u);
  return times(counted, both_bits(counted < 32 ? 32 : 64));
}

Price grouped_price(const Grouped& grouped) {
  Price price = word_price(static_cast<unsigned>(grouped.leaves + grouped.singles));
  for (std::size_t i = 0; i < grouped.cut().parts(); ++i) price += subsets(grouped.cut().size(i));
  return price;
}

Price digits_price(const Digits& digits) {
  if (digits.count == 0) return {};
  Price price = word_price(digits.low + digits.width());
  return price += times(digits.count, subsets(digits.bits));
}

Price layer_price(const Layer& layer) {
  Price price;
  for (std::size_t i = 0; i < layer.cut().parts(); ++i) {
    const auto [fan_in, parts] = layer.node(i);
    if (fan_in == 1) continue;
    const std::uint64_t sets = std::uint64_t{1} << (fan_in - 1);
    if (fan_in == 2) {
      price += crossed(parts == bits::Parts::both ? 2 : 1, 1);
      continue;
    }
    price += subsets(fan_in - 1);
    if (parts != bits::Parts::equal)
      for (std::size_t b = 0; b + 1 < fan_in; ++b) price += crossed((sets - 1) >> b, 1);
    if (parts != bits::Parts::less) price += crossed(sets - 1, 1);
  }
  return times(64 * layer.trees, price);
}

Price waves_price(const Waves& waves) {
  return times(2 * waves.count * wave_bits(waves.width), crossed(1, 64));
}

Price matrix_price(const MatrixShape& shape) {
  const std::uint64_t products = shape.m * shape.k * shape.n;
  return {.transfers = 128 * shape.k * std::min(shape.m, shape.n),
          .string_bits = 2 * products * kWordProduct.string_bits};
}

Price made_price(const Request& request) {
  const std::uint64_t width = request.dims[0];
  switch (request.kind) {
    case Kind::multiplication:
      return times(2, kWordProduct);
    case Kind::square:
      return kWordProduct;
    case Kind::and_gate:
      return times(64, crossed(1, 1));
    case Kind::and_pair:
      return times(64, crossed(2, 1));
    case Kind::dabit:
      return both_bits(64);
    case Kind::bit_product:
      return crossed(2, 64);
    case Kind::edabit:
      return grouped_price(grouped_of(request));
    case Kind::cross_bit:
      return both_bits(width);
    case Kind::tree_layer:
      return layer_price(layer_of(request));
    case Kind::cross_wide:
      return kWideProduct;
    case Kind::cross_scaled:
      return times(2, kResidueProduct);
    case Kind::digits:
      return digits_price(digits_of(request));
    case Kind::waves: {
      Price price = waves_price(waves_of(request));
      return price += digits_price(digits_of(request));
    }
    case Kind::lookup:
      return times(2 * 64, {0, kIndexBits, (kEntries - 1) * width});
    case Kind::half_select: {
      Price price = crossed(2, 32);
      if (width != 0) price += both_bits(32);
      return price;
    }
    case Kind::bit_bytes:
      return times(width, both_bits(8));
    case Kind::matrix:
    case Kind::masked_matrix:
      return matrix_price(matrix_shape(request));
    default:
      return {};
  }
}

}  // namespace

Price price_of(const Request& request) {
  constexpr std::uint64_t kBlock = 128;  // what extensions and strings are rounded up to
  Price price = times(request.units, made_price(request));
  price.transfers = (price.transfers + kBlock - 1) / kBlock * kBlock;
  price.string_bits = (price.string_bits + kBlock - 1) / kBlock * kBlock;
  price.dealt_bytes = product_words(request) * sizeof(std::uint64_t);
  if (dealt_to_both(request)) price.dealt_bytes *= 2;
  return price;
}

}  // namespace petcore::correlation
