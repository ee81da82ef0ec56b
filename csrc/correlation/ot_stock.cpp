#include "correlation/ot_stock.h"

#include <algorithm>

#include "correlation/price.h"

namespace petcore::correlation {
namespace {

// Bytes both ways, whatever extension runs: a request below this is small, and what is made ahead
// stays below that.
constexpr std::uint64_t kBlockBytes = 512;
constexpr std::uint64_t kSmallBytes = std::uint64_t{1} << 16, kAheadBytes = std::uint64_t{1} << 22;
constexpr std::uint64_t kAheadUnits = std::uint64_t{1} << 12;

std::uint64_t bytes_of(const Request& request, std::uint64_t units) {
  Request part = request;
  part.units = units;
  return price_of(part).made_bytes(kBlockBytes);
}

// copy_bits copies n bits from bit `from` on to the head of out; the tail is zero.
void copy_bits(Words out, const std::uint64_t* in, std::uint64_t from, std::uint64_t n) {
  const std::uint64_t shift = from % 64, last = (from + n - 1) / 64;
  for (std::size_t w = 0; w < out.size(); ++w) {
    const std::uint64_t at = from / 64 + w;
    out[w] = in[at] >> shift;
    if (shift != 0 && at < last) out[w] |= in[at + 1] << (64 - shift);
  }
  if (n % 64 != 0) out[n / 64] &= (std::uint64_t{1} << (n % 64)) - 1;
}

Buffer<std::uint64_t> cut(const Rows& rows, const Buffer<std::uint64_t>& all, std::uint64_t whole,
                          std::uint64_t first, std::uint64_t units) {
  Buffer<std::uint64_t> out(rows.words(units));
  if (rows.joined) {  // rows of whole bytes, one after the other
    std::fill(out.begin(), out.end(), 0);
    const std::uint64_t bytes = rows.bits / 8;
    const auto* from = reinterpret_cast<const std::byte*>(all.data());
    auto* to = reinterpret_cast<std::byte*>(out.data());
    for (std::uint64_t r = 0; r < rows.count; ++r)
      std::copy_n(from + (r * whole + first) * bytes, units * bytes, to + r * units * bytes);
    return out;
  }
  const std::uint64_t row = Rows{1, rows.bits}.words(whole), part = Rows{1, rows.bits}.words(units);
  for (std::uint64_t r = 0; r < rows.count; ++r)
    copy_bits(out.span().subspan(r * part, part), all.data() + r * row, first * rows.bits,
              units * rows.bits);
  return out;
}

}  // namespace

bool OtStock::serves(const Request& request) {
  if (request.kind == Kind::mask || request.kind == Kind::matrix ||
      request.kind == Kind::masked_matrix)
    return false;
  return request.units <= request.chunk && request.units <= kAheadUnits / 4 &&
         bytes_of(request, request.units) <= kSmallBytes;
}

bool OtStock::holds(const Shelf& shelf, const Request& request) {
  return shelf.request.kind == request.kind && shelf.request.dims == request.dims;
}

bool OtStock::has(const Request& request) const {
  return std::any_of(shelves_.begin(), shelves_.end(), [&](const Shelf& shelf) {
    return holds(shelf, request) && shelf.request.units - shelf.next >= request.units;
  });
}

OtStock::Shelf& OtStock::shelf_of(const Request& request) {
  const auto found = std::find_if(shelves_.begin(), shelves_.end(),
                                  [&](const Shelf& shelf) { return holds(shelf, request); });
  if (found != shelves_.end()) return *found;
  Shelf& shelf = shelves_.emplace_back();
  shelf.request = request;
  shelf.request.units = 0;
  return shelf;
}

Chunk OtStock::take(const Request& request, const Make& make) {
  Shelf& shelf = shelf_of(request);
  if (shelf.request.units - shelf.next < request.units) {
    const std::uint64_t unit_bytes =
        std::max<std::uint64_t>(bytes_of(request, kAheadUnits) / kAheadUnits, 1);
    const std::uint64_t most = std::min({kAheadUnits, request.chunk, kAheadBytes / unit_bytes});
    shelf.request.units = std::max(request.units, std::min(shelf.asked, most));
    shelf.request.chunk = shelf.request.units;
    shelf.next = 0;
    shelf.chunk = {};
    shelf.chunk = make(shelf.request);
  }
  shelf.asked += request.units;
  const std::uint64_t first = shelf.next;
  shelf.next += request.units;
  const Shape rows = shape(request);
  Chunk chunk;
  for (std::size_t i = 0; i < rows.num_masks; ++i)
    chunk.masks[i] =
        cut(rows.masks[i], shelf.chunk.masks[i], shelf.request.units, first, request.units);
  for (std::size_t i = 0; i < rows.num_products; ++i)
    chunk.products[i] =
        cut(rows.products[i], shelf.chunk.products[i], shelf.request.units, first, request.units);
  return chunk;
}

}  // namespace petcore::correlation
