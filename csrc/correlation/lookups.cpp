#include "correlation/lookups.h"

#include <array>

namespace petcore::correlation {

Request lookup_request(std::uint64_t units, std::uint64_t chunk, unsigned width) {
  return {.kind = Kind::lookup, .units = units, .chunk = chunk, .dims = {width}};
}

void check_lookups(const Request& request) {
  check(request.dims[0] == 1 || request.dims[0] == 2, Code::frame,
        "a table of entries of neither one bit nor two");
}

void pick_entries(Words out, ConstWords table, ConstWords index, unsigned width) {
  const std::size_t words = out.size() / width;
  for (unsigned b = 0; b < width; ++b)
    for (std::size_t w = 0; w < words; ++w) {
      std::array<std::uint64_t, kEntries> list;
      for (std::size_t v = 0; v < kEntries; ++v) list[v] = table[(v * width + b) * words + w];
      for (std::size_t bit = 0, half = kEntries / 2; half > 0; ++bit, half /= 2) {
        const std::uint64_t selector = index[bit * words + w];
        for (std::size_t i = 0; i < half; ++i)
          list[i] = list[2 * i] ^ ((list[2 * i] ^ list[2 * i + 1]) & selector);
      }
      out[b * words + w] = list[0];
    }
}

void reorder_entries(Words table, ConstWords index, unsigned width) {
  const std::size_t words = index.size() / kIndexBits;
  for (std::size_t bit = 0; bit < kIndexBits; ++bit)
    for (std::size_t v = 0; v < kEntries; ++v) {
      if ((v >> bit & 1) != 0) continue;
      const std::uint64_t* swap = index.data() + bit * words;
      for (unsigned b = 0; b < width; ++b) {
        std::uint64_t* low = table.data() + (v * width + b) * words;
        std::uint64_t* high = low + (width << bit) * words;
        for (std::size_t w = 0; w < words; ++w) {
          const std::uint64_t both = (low[w] ^ high[w]) & swap[w];
          low[w] ^= both;
          high[w] ^= both;
        }
      }
    }
}

void find_entries(Words out, ConstWords masks0, ConstWords masks1, unsigned width) {
  const std::size_t half = out.size() / 2,
                    table = masks0.size() / (table_rows(width) + kIndexBits) * table_rows(width);
  pick_entries(out.first(half), masks0.first(table), masks1.subspan(table), width);
  pick_entries(out.subspan(half), masks1.first(table), masks0.subspan(table), width);
}

}  // namespace petcore::correlation
