#include "psi/fingerprints.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace petcore::psi {
namespace {

constexpr unsigned kRestBits = 64;
constexpr unsigned kPerDrawer = 3;  // a drawer holds 2^3 to 2^4 on average
constexpr std::size_t kDrawerMax = 255;

std::uint64_t rest_of(const Block& value, unsigned rest_bytes) {
  return value.low >> (64 - 8 * rest_bytes);
}

std::uint64_t drawer_of(const Block& value, unsigned drawer_bits) {
  return drawer_bits == 0 ? 0 : value.high >> (64 - drawer_bits);
}

// sort_drawer is insertion sort: few are in a drawer.
void sort_drawer(std::span<std::uint64_t> rests, std::span<std::uint32_t> index) {
  for (std::size_t i = 1; i < rests.size(); ++i) {
    const std::uint64_t rest = rests[i];
    const std::uint32_t whose = index[i];
    std::size_t j = i;
    for (; j > 0 && rests[j - 1] > rest; --j) {
      rests[j] = rests[j - 1];
      index[j] = index[j - 1];
    }
    rests[j] = rest;
    index[j] = whose;
  }
}

}  // namespace

PrintShape print_shape(std::size_t num_sent, std::size_t num_kept, std::size_t runs) {
  const auto log = [](std::size_t n) { return std::log2(static_cast<double>(n)); };
  const auto bits =
      static_cast<unsigned>(std::ceil(kFalseBits + log(num_sent) + log(num_kept) + log(runs)));
  const unsigned few = static_cast<unsigned>(std::bit_width(num_sent)) - 1;
  const unsigned drawer_bits =
      std::max(few - std::min(few, kPerDrawer), bits - std::min(bits, kRestBits));
  return {drawer_bits, (bits - drawer_bits + 7) / 8};
}

Prints arrange(const PrintShape& shape, std::span<const Block> values,
               std::span<const std::uint32_t> order) {
  Prints out{Buffer<std::uint32_t>(shape.num_drawers()), Buffer<std::uint64_t>(values.size()),
             Buffer<std::uint32_t>(values.size())};
  std::fill(out.ends.begin(), out.ends.end(), 0);
  for (const Block& value : values) ++out.ends[drawer_of(value, shape.drawer_bits)];
  std::uint32_t sum = 0;
  for (std::uint32_t& end : out.ends) end = std::exchange(sum, sum + end);  // the begin, for now
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint32_t at = out.ends[drawer_of(values[i], shape.drawer_bits)]++;
    out.rests[at] = rest_of(values[i], shape.rest_bytes);
    out.index[at] = order[i];
  }
  std::size_t begin = 0;
  for (const std::size_t end : out.ends) {
    sort_drawer(out.rests.span().subspan(begin, end - begin),
                out.index.span().subspan(begin, end - begin));
    begin = end;
  }
  return out;
}

Buffer<std::byte> write(const PrintShape& shape, const Prints& prints) {
  Buffer<std::byte> wire(shape.wire_bytes(prints.rests.size()));
  std::byte* to = wire.data();
  std::uint32_t begin = 0;
  for (const std::uint32_t end : prints.ends) {
    check(end - begin <= kDrawerMax, Code::internal, "values of an OPRF crowd in one place");
    *to++ = static_cast<std::byte>(end - begin);
    begin = end;
  }
  for (const std::uint64_t rest : prints.rests) {
    std::memcpy(to, &rest, shape.rest_bytes);
    to += shape.rest_bytes;
  }
  return wire;
}

Prints read(const PrintShape& shape, ConstBytes wire, std::size_t n) {
  check(wire.size() == shape.wire_bytes(n), Code::internal, "fingerprints of another size");
  Prints out{Buffer<std::uint32_t>(shape.num_drawers()), Buffer<std::uint64_t>(n), {}};
  const std::byte* from = wire.data();
  std::uint64_t sum = 0;
  for (std::uint32_t& end : out.ends) {
    sum += static_cast<std::uint64_t>(*from++);
    end = static_cast<std::uint32_t>(sum);
  }
  check(sum == n, Code::frame, "a peer's fingerprints are more or fewer than it announced");
  for (std::uint64_t& rest : out.rests) {
    rest = 0;
    std::memcpy(&rest, from, shape.rest_bytes);
    from += shape.rest_bytes;
  }
  return out;
}

std::vector<Match> matches(const PrintShape& shape, const Prints& own, const Prints& theirs) {
  std::vector<Match> out;
  std::uint32_t i = 0, j = 0;
  for (std::size_t drawer = 0; drawer < shape.num_drawers(); ++drawer) {
    const std::uint32_t own_end = own.ends[drawer], their_end = theirs.ends[drawer];
    while (i < own_end && j < their_end) {
      if (own.rests[i] == theirs.rests[j])
        out.push_back({i++, j++});
      else if (own.rests[i] < theirs.rests[j])
        ++i;
      else
        ++j;
    }
    i = own_end;
    j = their_end;
  }
  return out;
}

}  // namespace petcore::psi
