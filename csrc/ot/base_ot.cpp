#include "ot/base_ot.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "bits/bits.h"
#include "group/expand.h"

namespace petcore::ot {
namespace {

using group::kPointBytes;
using group::Point;
using group::Scalar;

constexpr std::string_view kCurveTag = "petcore-base-ot-v1-P256_XMD:SHA-256_SSWU_RO_";
constexpr std::string_view kKeyTag = "petcore-base-ot-v1-key";

// Place names one of the two keys of one OT.
std::array<std::byte, 9> place_of(std::size_t ot, unsigned side) {
  std::array<std::byte, 9> place;
  store_le(place.data(), static_cast<std::uint64_t>(ot));
  place[8] = static_cast<std::byte>(side);
  return place;
}

// mask_point is H_side(other).
Point mask_point(ConstBytes label, std::size_t ot, unsigned side, ConstBytes other) {
  const std::array<std::byte, 9> place = place_of(ot, side);
  const std::array<ConstBytes, 3> message = {label, ConstBytes(place), other};
  return group::hash_to_curve(message, kCurveTag);
}

Block key_of(ConstBytes label, std::size_t ot, unsigned side, ConstBytes offer, ConstBytes answer,
             const Point& shared) {
  std::array<std::byte, kPointBytes> encoded;
  shared.encode(encoded);
  const std::array<std::byte, 9> place = place_of(ot, side);
  const std::array<ConstBytes, 6> message = {
      group::bytes_of(kKeyTag), label, ConstBytes(place), offer, answer, ConstBytes(encoded)};
  group::Digest digest = group::sha256(message);
  Block key;
  std::memcpy(&key, digest.data(), sizeof(key));
  wipe(digest.data(), digest.size());
  wipe(encoded.data(), encoded.size());
  return key;
}

// swap_if exchanges two equally long strings without a branch on the bit.
void swap_if(std::uint64_t bit, Bytes x, Bytes y) {
  const auto mask = static_cast<std::byte>(0 - bit);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::byte change = (x[i] ^ y[i]) & mask;
    x[i] ^= change;
    y[i] ^= change;
  }
}

}  // namespace

BaseReceiver::BaseReceiver(ConstWords choices, std::size_t n, ConstBytes label, Pool& pool)
    : label_(label.begin(), label.end()),
      choices_(choices.size()),
      scalars_(n),
      offer_(offer_bytes(n)),
      pool_(pool) {
  check(choices.size() == bits::num_words(n), Code::usage, "base OT: choices do not fit n");
  std::ranges::copy(choices, choices_.begin());
  pool_.parallel_for(n, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto choice = static_cast<unsigned>(choices_[i / 64] >> (i % 64) & 1);
      const Bytes pair = Bytes(offer_).subspan(2 * i * kPointBytes, 2 * kPointBytes);
      const Bytes mine = pair.first(kPointBytes), other = pair.last(kPointBytes);
      scalars_[i] = Scalar::random();
      Point::generator_multiple(Scalar::random()).encode(other);
      const Point mask = mask_point(label_, i, choice, other);
      (Point::generator_multiple(scalars_[i]) - mask).encode(mine);
      swap_if(choice, mine, other);
    }
  });
}

BaseReceiver::~BaseReceiver() = default;

Buffer<Block> BaseReceiver::keys(ConstBytes answer) const {
  const Point theirs = Point::decode(answer);
  Buffer<Block> out(scalars_.size());
  pool_.parallel_for(scalars_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto choice = static_cast<unsigned>(choices_[i / 64] >> (i % 64) & 1);
      const ConstBytes pair = ConstBytes(offer_).subspan(2 * i * kPointBytes, 2 * kPointBytes);
      out[i] = key_of(label_, i, choice, pair, answer, scalars_[i] * theirs);
    }
  });
  return out;
}

void BaseSender::answer(Bytes out) const { Point::generator_multiple(scalar_).encode(out); }

Buffer<Block> BaseSender::keys(ConstBytes offer, ConstBytes label) const {
  check(offer.size() % (2 * kPointBytes) == 0, Code::usage, "base OT: half an offer");
  const std::size_t n = offer.size() / (2 * kPointBytes);
  std::array<std::byte, kAnswerBytes> own;
  answer(own);
  Buffer<Block> out(2 * n);
  pool_.parallel_for(n, 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const ConstBytes pair = offer.subspan(2 * i * kPointBytes, 2 * kPointBytes);
      const std::array<ConstBytes, 2> half = {pair.first(kPointBytes), pair.last(kPointBytes)};
      for (unsigned side = 0; side < 2; ++side) {
        const Point mask = mask_point(label, i, side, half[1 - side]);
        const Point shared = scalar_ * (Point::decode(half[side]) + mask);
        check(!shared.is_infinity(), Code::frame, "base OT: an offer that no honest party makes");
        out[2 * i + side] = key_of(label, i, side, pair, own, shared);
      }
    }
  });
  return out;
}

}  // namespace petcore::ot
