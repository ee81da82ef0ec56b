#include "correlation/keys.h"

#include <algorithm>
#include <cstring>

#include "bits/gates.h"
#include "prg/prg.h"

namespace petcore::correlation {
namespace {

constexpr std::uint64_t kTop = std::uint64_t{1} << 63;

KeyForm form_of(const Request& request) { return static_cast<KeyForm>(request.dims[1]); }

unsigned width_of(const Request& request) { return static_cast<unsigned>(request.dims[0]); }

std::uint64_t low_bits(unsigned width) {
  return width == 0 ? 0 : ~std::uint64_t{0} >> (64 - width);
}

// What a key compares of a masked number, and the bit above it that its form adds; 0 for none.
struct Split {
  std::uint64_t compared;
  unsigned top;
  bool added;

  explicit Split(const Request& request)
      : compared(low_bits(width_of(request) - (form_of(request) == KeyForm::sign ? 1 : 0))),
        top(width_of(request) - 1),
        added(form_of(request) == KeyForm::sign) {}
  std::uint64_t bit(std::uint64_t z) const { return added ? z >> top & 1 : 0; }
};

// Numbers go up from one that both seeds decide, so that another session has others. What is dealt
// to both leaves the product streams unused but for this.
std::uint64_t first_number(const Streams (&streams)[2], Pool& pool) {
  std::uint64_t sum = 0, word = 0;
  for (const Streams& own : streams) {
    own.product(0, 0, Words(&word, 1), pool);
    sum += word;
  }
  return sum;
}

}  // namespace

Request key_request(std::uint64_t n, unsigned width, KeyForm form) {
  return {.kind = Kind::comparison_key,
          .units = n,
          .chunk = kKeyChunk,
          .dims = {width, static_cast<std::uint64_t>(form)}};
}

fss::Shape key_shape(const Request& request) {
  const unsigned bits = width_of(request) - (form_of(request) == KeyForm::sign ? 1 : 0);
  return {std::max(bits, 1U),
          form_of(request) == KeyForm::point ? fss::Form::point : fss::Form::below};
}

void check_keys(const Request& request) {
  check(request.dims[0] >= 1 && request.dims[0] <= 64 && request.dims[1] <= 2, Code::frame,
        "keys of a comparison for fewer than 1 or more than 64 bits, or of no known form");
}

void deal_keys(const Request& request, std::uint64_t chunk, const Streams (&streams)[2],
               Words numbers, Words corrections, Pool& pool) {
  const std::size_t n = numbers.size();
  const Split split(request);
  Buffer<std::uint64_t> mask(n), roots[2];
  streams[0].mask(0, chunk, mask.span(), pool);
  streams[1].mask(0, chunk, plus(mask.span(), mask.span()), pool);
  for (std::size_t party = 0; party < 2; ++party) {
    roots[party] = Buffer<std::uint64_t>(fss::kBlockWords * n);
    streams[party].mask(1, chunk, roots[party].span(), pool);
  }
  const std::uint64_t first = first_number(streams, pool) + chunk * request.chunk;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t masked = split.bit(mask[i]) << 63 ^ roots[0][fss::kBlockWords * i + 1] ^
                                 roots[1][fss::kBlockWords * i + 1];
    numbers[i] = ((first + i) & ~kTop) | (masked & kTop);
    mask[i] &= split.compared;
  }
  fss::make({key_shape(request), numbers, corrections}, mask.span(), roots[0].span(),
            roots[1].span());
}

void read_keys(const Request& request, int party, Words out, ConstWords z, ConstWords roots,
               ConstWords numbers, ConstWords corrections) {
  const Split split(request);
  Buffer<std::uint64_t> low(z.size()), added(out.size());
  std::fill(added.begin(), added.end(), 0);
  const std::uint64_t mine = party == 0 ? 1 : 0;
  for (std::size_t i = 0; i < z.size(); ++i) {
    low[i] = z[i] & split.compared;
    const std::uint64_t bit = split.bit(z[i]) ^ numbers[i] >> 63;
    added[i / 64] |= ((bit & mine) ^ roots[fss::kBlockWords * i + 1] >> 63) << (i % 64);
  }
  fss::evaluate(out, {key_shape(request), numbers, corrections}, low.span(), party, roots);
  bits::exclusive_or(out, out, added.span());
}

}  // namespace petcore::correlation
