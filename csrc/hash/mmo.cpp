#include "hash/mmo.h"

#include <algorithm>

#include "base/error.h"
#include "prg/prg_kernels.h"

namespace petcore::hash {
namespace {

// Blocks encrypted at once, so that the input is still in the first cache when it is added.
constexpr std::size_t kPiece = 256;

void check_sizes(std::size_t out, std::size_t in) {
  check(out == in, Code::usage, "mmo: out and in have different sizes");
}

}  // namespace

Mmo::Mmo(const prg::Seed& key, std::string_view target) : kernels_(&prg::choose(target)) {
  static_assert(sizeof(schedule_) == prg::kScheduleBytes);
  kernels_->expand(schedule_.data(), key.data());
}

void Mmo::encrypt(std::span<Block> out, std::span<const Block> in) const {
  check_sizes(out.size(), in.size());
  kernels_->encrypt(schedule_.data(), reinterpret_cast<std::byte*>(out.data()),
                    reinterpret_cast<const std::byte*>(in.data()), in.size());
}

void Mmo::operator()(std::span<Block> out, std::span<const Block> in) const {
  check_sizes(out.size(), in.size());
  std::array<Block, kPiece> piece;
  for (std::size_t begin = 0; begin < in.size(); begin += kPiece) {
    const std::size_t n = std::min(kPiece, in.size() - begin);
    encrypt(std::span(piece).first(n), in.subspan(begin, n));
    for (std::size_t i = 0; i < n; ++i) out[begin + i] = piece[i] ^ in[begin + i];
  }
}

}  // namespace petcore::hash
