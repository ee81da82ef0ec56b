#include "correlation/request.h"

#include "bits/bits.h"
#include "correlation/keys.h"
#include "correlation/lookups.h"
#include "correlation/tables.h"
#include "correlation/trees.h"

namespace petcore::correlation {
namespace {

constexpr std::array<const char*, kLastKind + 1> kNames = {
    "",       "multiplication", "square",        "and_gate",   "and_pair",
    "dabit",  "bit_product",    "edabit",        "cross_bit",  "tree_layer",
    "matrix", "mask",           "masked_matrix", "cross_wide", "digits",
    "waves",  "half_select",    "cross_scaled",  "bit_bytes",  "comparison_key",
    "lookup"};

// The words of a chunk of packed bits, too, are then even in number.
constexpr std::uint64_t kChunkStep = 128;

void check_matrix(const Request& request) {
  if (request.kind == Kind::masked_matrix) {
    const auto& d = request.dims;
    matrix_words(d[1], d[2], Code::frame);
    check(d[3] < d[4] && d[4] <= d[1] && d[5] <= 1, Code::frame,
          "a correlation request names rows outside its masked matrix");
  }
  const MatrixShape shape = matrix_shape(request);
  matrix_words(shape.m, shape.k, Code::frame);
  matrix_words(shape.k, shape.n, Code::frame);
  matrix_words(shape.m, shape.n, Code::frame);
  check(request.units == 1 && request.chunk == 1, Code::frame, "a matrix is one unit");
}

}  // namespace

std::uint64_t matrix_words(std::uint64_t rows, std::uint64_t columns, Code code) {
  const bool fits =
      rows > 0 && columns > 0 && rows <= kMatrixWordsMax && columns <= kMatrixWordsMax / rows;
  check(fits, code, "a matrix is empty or has more than 2^27 elements; multiply it in blocks");
  return rows * columns;
}

const char* kind_name(Kind kind) { return kNames[static_cast<std::uint32_t>(kind)]; }

Kind kind_from_name(std::string_view name) {
  std::string known;
  for (std::uint32_t i = 1; i <= kLastKind; ++i) {
    if (name == kNames[i]) return static_cast<Kind>(i);
    known += (known.empty() ? "" : ", ") + std::string(kNames[i]);
  }
  throw Error(Code::usage,
              "no correlation is called '" + std::string(name) + "'; there are: " + known);
}

void Request::write(ByteWriter& out) const {
  out.put(static_cast<std::uint32_t>(kind));
  out.put(units);
  out.put(chunk);
  for (const std::uint64_t d : dims) out.put(d);
  out.put(counter);
}

Request Request::read(ByteReader& in) {
  Request request{};
  const auto kind = in.get<std::uint32_t>();
  check(kind >= 1 && kind <= kLastKind, Code::frame, "a correlation request of unknown kind");
  request.kind = static_cast<Kind>(kind);
  request.units = in.get<std::uint64_t>();
  request.chunk = in.get<std::uint64_t>();
  for (std::uint64_t& d : request.dims) d = in.get<std::uint64_t>();
  request.counter = in.get<std::uint64_t>();
  check(request.units > 0 && request.units <= kUnitsMax && request.chunk > 0 &&
            request.chunk <= kChunk &&
            (request.units <= request.chunk || request.chunk % kChunkStep == 0),
        Code::frame, "a correlation request with a size out of bounds");
  check(request.kind != Kind::mask, Code::frame, "a mask alone is nothing to ask the dealer for");
  if (request.kind == Kind::cross_bit)
    check(request.dims[0] == 32 || request.dims[0] == 64, Code::frame,
          "a product of two bits in words of neither 32 nor 64 bits");
  if (request.kind == Kind::half_select)
    check(request.dims[0] <= 1, Code::frame, "a selection of neither one bit nor two");
  if (request.kind == Kind::bit_bytes)
    check(request.dims[0] >= 1 && request.dims[0] <= 8, Code::frame,
          "fewer than 1 or more than 8 rows of bits");
  if (request.kind == Kind::digits || request.kind == Kind::waves) check_tables(request);
  if (request.kind == Kind::lookup) check_lookups(request);
  if (request.kind == Kind::edabit) check_grouped(request);
  if (request.kind == Kind::comparison_key) check_keys(request);
  if (request.kind == Kind::tree_layer) check_layer(request);
  if (request.kind == Kind::matrix || request.kind == Kind::masked_matrix) check_matrix(request);
  return request;
}

void check_sizes(const Request& request) {
  Request one = request;
  one.units = one.chunk = 1;
  ByteWriter written;
  one.write(written);
  ByteReader reader(written.bytes());
  try {
    Request::read(reader);
  } catch (const Error& error) {
    throw Error(Code::usage, error.what());
  }
}

Request matrix_request(std::uint64_t m, std::uint64_t k, std::uint64_t n) {
  return {.kind = Kind::matrix, .units = 1, .chunk = 1, .dims = {m, k, n}};
}

Request masked_matrix_request(const Request& mask, std::uint64_t row_begin, std::uint64_t row_end,
                              bool transposed, std::uint64_t n) {
  return {.kind = Kind::masked_matrix,
          .units = 1,
          .chunk = 1,
          .dims = {mask.counter, mask.dims[0], mask.dims[1], row_begin, row_end,
                   static_cast<std::uint64_t>(transposed), n}};
}

MatrixShape matrix_shape(const Request& request) {
  const auto& d = request.dims;
  if (request.kind == Kind::matrix) return {d[0], d[1], d[2]};
  const std::uint64_t rows = d[4] - d[3];
  return d[5] != 0 ? MatrixShape{d[2], rows, d[6]} : MatrixShape{rows, d[2], d[6]};
}

Shape shape(const Request& request) {
  constexpr Rows kBits{1, 1}, kWords{1, 64};
  Shape out;
  const auto set = [&](std::initializer_list<Rows> masks, std::initializer_list<Rows> products) {
    for (const Rows& rows : masks) out.masks[out.num_masks++] = rows;
    for (const Rows& rows : products) out.products[out.num_products++] = rows;
    return out;
  };
  switch (request.kind) {
    case Kind::multiplication:
    case Kind::and_gate:
      return set({kWords, kWords}, {kWords});
    case Kind::square:
      return set({kWords}, {kWords});
    case Kind::and_pair:
      return set({kWords, kWords, kWords}, {kWords, kWords});
    case Kind::dabit:
      return set({kBits}, {kWords});
    case Kind::bit_product:
      return set({kBits, kWords}, {kWords, kWords});
    case Kind::edabit:
      return set({kWords}, {{grouped_of(request).num_slices(), 1}});
    case Kind::cross_bit:
      return set({kBits}, {{1, request.dims[0] == 64 ? 64u : 32u}});
    case Kind::tree_layer:
      return set({{layer_of(request).num_opened(), 64}}, {{layer_of(request).num_dealt(), 64}});
    case Kind::cross_wide:
      return set({{1, 128}}, {{1, 128}});
    case Kind::digits:
      return set({kWords}, {{digits_of(request).rows(), 1}});
    case Kind::waves: {
      const Waves waves = waves_of(request);
      return set({kWords}, {{2 * waves.count, waves.width}, {digits_of(request).rows(), 1}});
    }
    case Kind::cross_scaled:
      return set({{2, 64}}, {kWords});
    case Kind::bit_bytes:
      return set({{request.dims[0], 1}}, {{request.dims[0], 8, true}});
    case Kind::lookup:
      return set({{table_rows(static_cast<unsigned>(request.dims[0])) + kIndexBits, 64}},
                 {{2 * request.dims[0], 64}});
    case Kind::half_select:
      set({kBits, {1, 32}}, {{1, 32}, {1, 32}});
      if (request.dims[0] == 1) set({kBits}, {{1, 32}});
      break;
    case Kind::comparison_key:
      return set({kWords, {1, 128}}, {kWords, {key_shape(request).blocks(), 128}});
    case Kind::mask:
      return set({kWords}, {});
    case Kind::matrix:
    case Kind::masked_matrix: {
      const auto [m, k, n] = matrix_shape(request);
      if (request.kind == Kind::matrix) set({{1, 64 * m * k}}, {});
      return set({{1, 64 * k * n}}, {{1, 64 * m * n}});
    }
  }
  return out;
}

Layout layout(const Request& request, std::uint64_t units) {
  const Shape rows = shape(request);
  Layout out{.num_masks = rows.num_masks, .num_products = rows.num_products};
  for (std::size_t i = 0; i < rows.num_masks; ++i) out.masks[i] = rows.masks[i].words(units);
  for (std::size_t i = 0; i < rows.num_products; ++i)
    out.products[i] = rows.products[i].words(units);
  return out;
}

std::uint64_t product_words(const Request& request) {
  std::uint64_t total = 0;
  const auto count = [&](std::uint64_t units) {
    const Layout chunk = layout(request, units);
    std::uint64_t words = 0;
    for (std::size_t i = 0; i < chunk.num_products; ++i) words += chunk.products[i];
    return words;
  };
  const std::uint64_t full = request.units / request.chunk;
  if (full > 0) total += full * count(request.chunk);
  if (request.units % request.chunk != 0) total += count(request.units % request.chunk);
  return total;
}

}  // namespace petcore::correlation
