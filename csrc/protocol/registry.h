// The table of protocols. A new one is a folder beside semi2k/ and a row in registry.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "protocol/protocol.h"
#include "protocol/setting.h"

namespace petcore::protocol {

struct Row {
  std::string_view name;
  int parties;
  std::string_view adversary;
  std::string_view ring;
  std::unique_ptr<Protocol> (*make)(Setting setting);
};

std::span<const Row> rows();
// find raises Code::usage for an unknown name, listing the known ones.
const Row& find(std::string_view name);

}  // namespace petcore::protocol
