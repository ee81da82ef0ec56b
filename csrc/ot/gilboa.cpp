#include "ot/gilboa.h"

#include <bit>

#include "base/bytes.h"
#include "ring/residue.h"

namespace petcore::ot {
namespace {

using ring::uint128;

std::uint64_t mask_at(std::uint64_t bits, std::size_t j) { return 0 - (bits >> j & 1); }

uint128 wide_of(const Block& x) { return x.low | static_cast<uint128>(x.high) << 64; }

}  // namespace

void send_residues(std::uint64_t* share, const std::uint64_t* w, std::size_t n,
                   const std::uint64_t* x, const std::uint64_t* y, std::byte* wire) {
  for (std::size_t i = 0; i < n; ++i, x += 64, y += 64, wire += 512) {
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < 64; ++j) {
      store_le(wire + 8 * j, ring::residue_add(ring::residue_sub(x[j], y[j]), w[i]));
      sum = ring::residue_add(sum, std::rotl(x[j], static_cast<int>(j)));
    }
    share[i] = ring::residue_sub(share[i], sum);
  }
}

void take_residues(std::uint64_t* share, const std::uint64_t* c, std::size_t n,
                   const std::uint64_t* pads, const std::byte* wire) {
  for (std::size_t i = 0; i < n; ++i, pads += 64, wire += 512) {
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < 64; ++j) {
      const std::uint64_t d = load_le<std::uint64_t>(wire + 8 * j) & mask_at(c[i], j);
      const std::uint64_t part = ring::residue_add(pads[j], d);
      sum = ring::residue_add(sum, std::rotl(part, static_cast<int>(j)));
    }
    share[i] = ring::residue_add(share[i], sum);
  }
}

void send_wide(std::uint64_t* share, const std::uint64_t* w, std::size_t n, const Block* x,
               const Block* y, std::byte* wire) {
  for (std::size_t i = 0; i < n; ++i, x += 128, y += 128, wire += 2048) {
    const uint128 number = ring::load_wide(w + 2 * i);
    uint128 sum = 0;
    for (unsigned j = 0; j < 128; ++j) {
      const uint128 d = ring::wide_add(ring::wide_sub(wide_of(x[j]), wide_of(y[j])), number);
      store_le(wire + 16 * j, static_cast<std::uint64_t>(d));
      store_le(wire + 16 * j + 8, static_cast<std::uint64_t>(d >> 64));
      sum = ring::wide_add(sum, ring::wide_rotate(wide_of(x[j]), j));
    }
    ring::store_wide(share + 2 * i, ring::wide_sub(ring::load_wide(share + 2 * i), sum));
  }
}

void take_wide(std::uint64_t* share, const std::uint64_t* c, std::size_t n, const Block* pads,
               const std::byte* wire) {
  for (std::size_t i = 0; i < n; ++i, pads += 128, wire += 2048) {
    uint128 sum = 0;
    for (unsigned j = 0; j < 128; ++j) {
      const std::uint64_t mask = mask_at(c[2 * i + j / 64], j % 64);
      const uint128 d = (load_le<std::uint64_t>(wire + 16 * j) & mask) |
                        static_cast<uint128>(load_le<std::uint64_t>(wire + 16 * j + 8) & mask)
                            << 64;
      const uint128 part = ring::wide_add(wide_of(pads[j]), d);
      sum = ring::wide_add(sum, ring::wide_rotate(part, j));
    }
    ring::store_wide(share + 2 * i, ring::wide_add(ring::load_wide(share + 2 * i), sum));
  }
}

}  // namespace petcore::ot
