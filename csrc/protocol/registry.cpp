#include "protocol/registry.h"

#include <array>
#include <string>

#include "protocol/semi2k/semi2k.h"

namespace petcore::protocol {
namespace {

constexpr std::array<Row, 1> kRows = {{
    {"semi2k", 2, "semi-honest, one of two", "Z_2^64", &semi2k::make},
}};

}  // namespace

std::span<const Row> rows() { return kRows; }

const Row& find(std::string_view name) {
  std::string known;
  for (const Row& row : kRows) {
    if (row.name == name) return row;
    if (!known.empty()) known += ", ";
    known += row.name;
  }
  throw Error(Code::usage,
              "no protocol is called '" + std::string(name) + "'; there are: " + known);
}

}  // namespace petcore::protocol
