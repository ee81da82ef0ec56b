// Numbers modulo the prime of P-256, p = 2^256 - 2^224 + 2^192 + 2^96 - 1, for what OpenSSL offers
// slowly or not at all: square roots and the map of RFC 9380. Multiples of points are OpenSSL's.
//
// A Field holds x 2^256 mod p (Montgomery form) as four words, the lowest first, always below p.
// No branch and no index depends on a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/buffer.h"

namespace petcore::group {

__extension__ using uint128 = unsigned __int128;

struct Field {
  std::array<std::uint64_t, 4> word{};
};

namespace detail {

inline constexpr std::array<std::uint64_t, 4> kPrime = {~0ull, 0xffffffffull, 0,
                                                        0xffffffff00000001ull};

constexpr std::uint64_t low(uint128 x) { return static_cast<std::uint64_t>(x); }
constexpr std::uint64_t high(uint128 x) { return static_cast<std::uint64_t>(x >> 64); }

// subtract_prime gives x - p where that is not negative, x otherwise; x < 2p, its bit 256 in top.
constexpr Field subtract_prime(const Field& x, std::uint64_t top) {
  Field less;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const uint128 difference = static_cast<uint128>(x.word[i]) - kPrime[i] - borrow;
    less.word[i] = low(difference);
    borrow = high(difference) & 1;
  }
  const std::uint64_t keep = 0 - (borrow & (top ^ 1));  // all ones where x < p
  for (std::size_t i = 0; i < 4; ++i) less.word[i] ^= keep & (less.word[i] ^ x.word[i]);
  return less;
}

}  // namespace detail

constexpr Field operator+(const Field& x, const Field& y) {
  Field sum;
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const uint128 word = static_cast<uint128>(x.word[i]) + y.word[i] + carry;
    sum.word[i] = detail::low(word);
    carry = detail::high(word);
  }
  return detail::subtract_prime(sum, carry);
}

// The negative of zero is zero: p - 0 is reduced.
constexpr Field operator-(const Field& x) {
  Field negative;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const uint128 difference = static_cast<uint128>(detail::kPrime[i]) - x.word[i] - borrow;
    negative.word[i] = detail::low(difference);
    borrow = detail::high(difference) & 1;
  }
  return detail::subtract_prime(negative, 0);
}

constexpr Field operator-(const Field& x, const Field& y) { return x + -y; }

// Montgomery's product, word by word (Koc, Acar, Kaliski, "Analyzing and comparing Montgomery
// multiplication algorithms", IEEE Micro 1996, CIOS). -1/p mod 2^64 is 1, and the two low words of
// p make t + t_0 p a shift by 32 bits. x may be any number below 2^256, y is below p.
constexpr Field operator*(const Field& x, const Field& y) {
  std::array<std::uint64_t, 6> t{};
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const uint128 sum = static_cast<uint128>(x.word[j]) * y.word[i] + t[j] + carry;
      t[j] = detail::low(sum);
      carry = detail::high(sum);
    }
    const uint128 end = static_cast<uint128>(t[4]) + carry;
    t[4] = detail::low(end);
    t[5] = detail::high(end);
    const std::uint64_t m = t[0];
    uint128 sum = (static_cast<uint128>(m) << 32) + t[1];
    t[0] = detail::low(sum);
    sum = static_cast<uint128>(t[2]) + detail::high(sum);
    t[1] = detail::low(sum);
    sum = static_cast<uint128>(m) * detail::kPrime[3] + t[3] + detail::high(sum);
    t[2] = detail::low(sum);
    sum = static_cast<uint128>(t[4]) + detail::high(sum);
    t[3] = detail::low(sum);
    t[4] = t[5] + detail::high(sum);
  }
  return detail::subtract_prime({{t[0], t[1], t[2], t[3]}}, t[4]);
}

constexpr bool operator==(const Field& x, const Field& y) {
  std::uint64_t differ = 0;
  for (std::size_t i = 0; i < 4; ++i) differ |= x.word[i] ^ y.word[i];
  return differ == 0;
}

// choose gives x where condition holds and y elsewhere.
constexpr Field choose(bool condition, const Field& x, const Field& y) {
  const std::uint64_t mask = 0 - static_cast<std::uint64_t>(condition);
  Field chosen;
  for (std::size_t i = 0; i < 4; ++i) chosen.word[i] = y.word[i] ^ (mask & (x.word[i] ^ y.word[i]));
  return chosen;
}

namespace detail {

// power_of_two gives 2^exponent mod p, not in Montgomery form.
constexpr Field power_of_two(unsigned exponent) {
  Field x{{1, 0, 0, 0}};
  for (unsigned i = 0; i < exponent; ++i) x = x + x;
  return x;
}

inline constexpr Field kToForm = power_of_two(512);      // lifts a number below 2^256
inline constexpr Field kHighToForm = power_of_two(768);  // lifts it and multiplies by 2^256

}  // namespace detail

constexpr Field field_of(std::uint64_t small) { return Field{{small, 0, 0, 0}} * detail::kToForm; }

constexpr Field squared(Field x, unsigned times) {
  for (unsigned i = 0; i < times; ++i) x = x * x;
  return x;
}

// root_power is x^((p - 3) / 4), of which roots and inverses are made. The exponent in binary: 32
// ones, 31 zeros, a one, 96 zeros, 94 ones.
constexpr Field root_power(const Field& x) {
  const Field ones2 = squared(x, 1) * x;
  const Field ones4 = squared(ones2, 2) * ones2;
  const Field ones8 = squared(ones4, 4) * ones4;
  const Field ones16 = squared(ones8, 8) * ones8;
  const Field ones24 = squared(ones16, 8) * ones8;
  const Field ones28 = squared(ones24, 4) * ones4;
  const Field ones30 = squared(ones28, 2) * ones2;
  const Field ones32 = squared(ones30, 2) * ones2;
  const Field head = squared(ones32, 32) * x;
  const Field middle = squared(squared(head, 128) * ones32, 32) * ones32;
  return squared(middle, 30) * ones30;
}

// square_root is a root of x if x has one (p = 3 mod 4), and something else otherwise.
constexpr Field square_root(const Field& x) { return root_power(x) * x; }
// inverse of zero is zero.
constexpr Field inverse(const Field& x) { return squared(root_power(x), 2) * x; }

// Big-endian bytes. read takes 32 bytes and says whether they are below p; reduce takes 48 bytes
// modulo p. is_odd is sgn0 of RFC 9380, section 4.1.
bool read(Field& out, ConstBytes in);
Field reduce(ConstBytes wide);
void write(Bytes out, const Field& x);
bool is_odd(const Field& x);

// The curve is y^2 = x^3 - 3 x + b.
Field curve_b();
Field curve_right_side(const Field& x);

// Affine is a point of the curve that is not infinity.
struct Affine {
  Field x, y;
};

// map_to_curve is the simplified SWU map of RFC 9380, section 6.6.2 and appendix F.2, of two
// numbers at once, which share an inversion.
std::array<Affine, 2> map_to_curve(const std::array<Field, 2>& u);

}  // namespace petcore::group
