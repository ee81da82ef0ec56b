// Vectors of 128-bit blocks as uint64 arrays of shape (n, 2), the lower word first.
#pragma once

#include <algorithm>
#include <cstring>

#include "base/block.h"
#include "base/error.h"
#include "bindings/arrays.h"

namespace petcore::bindings {

// copy_blocks copies: an array need not be aligned as blocks are.
inline Buffer<Block> copy_blocks(const py::array& array, const char* name) {
  const ConstWords words = const_words(array, name);
  check(array.ndim() == 2 && array.shape(1) == 2, Code::usage, "blocks have the shape (n, 2)");
  Buffer<Block> blocks(words.size() / 2);
  if (!words.empty())
    std::memcpy(static_cast<void*>(blocks.data()), words.data(), words.size_bytes());
  return blocks;
}

inline py::array block_array(std::span<const Block> blocks) {
  Buffer<std::uint64_t> words(2 * blocks.size());
  if (!blocks.empty()) std::memcpy(words.data(), blocks.data(), blocks.size_bytes());
  return to_array(std::move(words), {static_cast<py::ssize_t>(blocks.size()), 2});
}

}  // namespace petcore::bindings
