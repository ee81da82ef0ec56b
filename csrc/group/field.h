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

namespace detail {

// add_product gives sum + x y + carry, its upper word in carry; it always fits.
constexpr std::uint64_t add_product(std::uint64_t sum, std::uint64_t x, std::uint64_t y,
                                    std::uint64_t& carry) {
  const uint128 wide = static_cast<uint128>(x) * y + sum + carry;
  carry = high(wide);
  return low(wide);
}

// Five words of a running sum; in single variables, which compilers keep in registers.
struct Sum {
  std::uint64_t t0, t1, t2, t3, t4;
};

// step gives (t + x y + m p) / 2^64 for the m that clears the lowest word. -1/p mod 2^64 is 1, so
// m is that word itself, and the two low words of p make its share of them a shift by 32 bits.
constexpr Sum step(const Sum& t, const Field& x, std::uint64_t y) {
  std::uint64_t carry = 0;
  const std::uint64_t m = add_product(t.t0, x.word[0], y, carry);
  const std::uint64_t t1 = add_product(t.t1, x.word[1], y, carry);
  const std::uint64_t t2 = add_product(t.t2, x.word[2], y, carry);
  const std::uint64_t t3 = add_product(t.t3, x.word[3], y, carry);
  const uint128 t4 = static_cast<uint128>(t.t4) + carry;
  const uint128 r0 = (static_cast<uint128>(m) << 32) + t1;
  const uint128 r1 = static_cast<uint128>(t2) + high(r0);
  carry = high(r1);
  const std::uint64_t r2 = add_product(t3, m, kPrime[3], carry);
  const uint128 r3 = t4 + carry;
  return {low(r0), low(r1), r2, low(r3), high(r3)};
}

}  // namespace detail

// Montgomery's product, word by word (Koc, Acar, Kaliski, "Analyzing and comparing Montgomery
// multiplication algorithms", IEEE Micro 1996, CIOS). x may be any number below 2^256, y is below
// p.
constexpr Field operator*(const Field& x, const Field& y) {
  detail::Sum t = detail::step({0, 0, 0, 0, 0}, x, y.word[0]);
  t = detail::step(t, x, y.word[1]);
  t = detail::step(t, x, y.word[2]);
  t = detail::step(t, x, y.word[3]);
  return detail::subtract_prime({{t.t0, t.t1, t.t2, t.t3}}, t.t4);
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
