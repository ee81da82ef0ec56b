#include "psi/okvs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "hash/mmo.h"
#include "psi/okvs_bin.h"
#include "ring/gf128.h"

namespace petcore::psi {
namespace {

constexpr std::size_t kBinKeys = std::size_t{1} << 14;  // on average; its table fits a second cache
constexpr std::size_t kBinKeysMin = 256;
constexpr double kBits = 42;
constexpr std::uint64_t kRowMark = 0x6f6b7673;
constexpr std::size_t kGrain = 4096;

}  // namespace

std::size_t bin_bound(std::size_t n, std::size_t num_bins, double bits) {
  if (num_bins == 1) return n;
  // Chernoff: P[load >= (1 + d) mean] <= exp(-mean ((1 + d) ln(1 + d) - d)); find d by bisection.
  const double mean = static_cast<double>(n) / static_cast<double>(num_bins);
  const double need = (bits + std::log2(static_cast<double>(num_bins))) * std::log(2.0) / mean;
  double low = 0, high = 1;
  const auto exponent = [](double d) { return (1 + d) * std::log1p(d) - d; };
  while (exponent(high) < need) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (exponent(middle) < need ? low : high) = middle;
  }
  return std::min(n, static_cast<std::size_t>(std::ceil((1 + high) * mean)));
}

OkvsShape okvs_shape(std::size_t num_keys) {
  check(num_keys >= 1 && num_keys <= kOkvsKeysMax, Code::usage,
        "a key-value store holds 1 to 2^26 keys; use buckets for more");
  OkvsShape shape;
  shape.num_bins = (num_keys + kBinKeys - 1) / kBinKeys;
  shape.bin_keys = std::max(kBinKeysMin, bin_bound(num_keys, shape.num_bins, kBits));
  const double n = static_cast<double>(shape.bin_keys);
  const double lambda = kBits + std::log2(static_cast<double>(shape.num_bins));
  const double e = 1.223 + (lambda + 9.2) / std::exp2(0.555 * std::log2(n) + 2.336);
  shape.sparse = static_cast<std::size_t>(std::ceil(e * n));
  shape.dense = static_cast<std::size_t>(std::ceil(lambda / std::log2(e * n)));
  return shape;
}

Rows::Rows(const OkvsShape& shape, const prg::Seed& seed, unsigned attempt,
           std::span<const Block> keys, Pool& pool)
    : shape_(shape),
      order_(keys.size()),
      keys_(keys.size()),
      hashes_(keys.size()),
      ends_(shape.num_bins) {
  check(shape.sparse >= kWeight && shape.sparse <= kSparseMax, Code::usage,
        "a bin of a key-value store has 3 to 65535 sparse columns");
  const hash::Mmo mmo(prg::derive(seed, {kRowMark, attempt, 0, 0, 0, 0}));
  Buffer<Block> hashes(keys.size());
  pool.parallel_for(keys.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    mmo(hashes.span().subspan(begin, end - begin), keys.subspan(begin, end - begin));
  });
  const auto bin_of = [&](std::size_t i) {
    return below(static_cast<std::uint32_t>(hashes[i].low), shape_.num_bins);
  };
  std::fill(ends_.begin(), ends_.end(), 0);
  for (std::size_t i = 0; i < keys.size(); ++i) ++ends_[bin_of(i)];
  std::size_t sum = 0;
  for (std::size_t& end : ends_) end = std::exchange(sum, sum + end);  // the begin, for now
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t row = ends_[bin_of(i)]++;
    order_[row] = static_cast<std::uint32_t>(i);
    keys_[row] = keys[i];
    hashes_[row] = hashes[i];
  }
}

bool Rows::encode(std::span<Block> table, std::span<const Block> values, Pool& pool,
                  const std::optional<prg::Seed>& filler) const {
  check(table.size() == shape_.size() && values.size() == size(), Code::usage,
        "a key-value store and its table or values differ in size");
  for (std::size_t bin = 0; bin < shape_.num_bins; ++bin)
    if (ends_[bin] - begin_of(bin) > shape_.bin_keys) return false;
  if (filler)
    prg::Prg(*filler).fill(std::as_writable_bytes(table));
  else
    std::fill(table.begin(), table.end(), Block{});
  std::vector<char> encoded(shape_.num_bins);
  pool.parallel_for(shape_.num_bins, 1, [&](std::size_t begin, std::size_t end) {
    BinSolver solver(shape_);
    for (std::size_t bin = begin; bin < end; ++bin) {
      const std::size_t first = begin_of(bin), n = ends_[bin] - first;
      encoded[bin] = solver.solve(table.subspan(bin * shape_.bin_size(), shape_.bin_size()),
                                  hashes_.span().subspan(first, n), keys_.span().subspan(first, n),
                                  values.subspan(first, n));
    }
  });
  return std::all_of(encoded.begin(), encoded.end(), [](char done) { return done != 0; });
}

void Rows::decode(std::span<Block> out, std::span<const Block> table, Pool& pool) const {
  check(table.size() == shape_.size() && out.size() == size(), Code::usage,
        "a key-value store and its table or output differ in size");
  pool.parallel_for(shape_.num_bins, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t bin = begin; bin < end; ++bin) {
      const Block* columns = table.data() + bin * shape_.bin_size();
      const std::size_t first = begin_of(bin), n = ends_[bin] - first;
      for (std::size_t row = first; row < first + n; ++row) {
        const Columns at = columns_of(hashes_[row], shape_.sparse);
        out[row] = columns[at[0]] ^ columns[at[1]] ^ columns[at[2]];
      }
      ring::add_polynomial(out.subspan(first, n), keys_.span().subspan(first, n),
                           {columns + shape_.sparse, shape_.dense});
    }
  });
}

Encoding okvs_encode(std::span<Block> table, const OkvsShape& shape, const prg::Seed& seed,
                     std::span<const Block> keys, const RowValues& values, Pool& pool,
                     const std::optional<prg::Seed>& filler) {
  Buffer<Block> wanted(keys.size());
  for (unsigned attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Rows rows(shape, seed, attempt, keys, pool);
    values(wanted.span(), rows);
    if (rows.encode(table, wanted.span(), pool, filler)) return {std::move(rows), attempt};
  }
  throw Error(Code::internal, "no table holds these keys; they must be distinct");
}

}  // namespace petcore::psi
