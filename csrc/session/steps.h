// Steps by name: both ends derive the same tag from the same words.
#pragma once

#include <string>

#include "net/channel.h"

namespace petcore::session {

// named_step's tag is a 64-bit FNV-1a hash of the text: it catches mistakes, not forgery.
inline net::Step named_step(const std::string& what) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : what) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return {hash, what};
}

inline std::string count(std::size_t n) {
  return std::to_string(n) + (n == 1 ? " element" : " elements");
}

inline net::Step handshake_step() { return {0, "handshake"}; }
inline net::Step seed_step() { return named_step("exchanging seeds"); }

}  // namespace petcore::session
