#include "group/field.h"

#include <bit>

#include "base/error.h"

namespace petcore::group {
namespace {

std::uint64_t load_big_endian(const std::byte* from) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < 8; ++i) word = word << 8 | static_cast<std::uint64_t>(from[i]);
  return word;
}

Field from_plain(const Field& plain) { return plain * detail::kToForm; }
Field to_plain(const Field& x) { return x * Field{{1, 0, 0, 0}}; }

constexpr Field kOne = field_of(1);
constexpr Field kA = -field_of(3);
constexpr Field kZ = -field_of(10);
constexpr Field kRootOfMinusZ = square_root(field_of(10));
static_assert(kRootOfMinusZ * kRootOfMinusZ == field_of(10));
constexpr Field kB = Field{{0x3bce3c3e27d2604bull, 0x651d06b0cc53b0f6ull, 0xb3ebbd55769886bcull,
                            0x5ac635d8aa3a93e7ull}} *
                     detail::kToForm;

struct Root {
  bool is_square;
  Field root;  // of u / v, or of Z u / v where u / v is no square
};

// RFC 9380, appendix F.2.1.2.
Root root_of_ratio(const Field& u, const Field& v) {
  const Field uv = u * v;
  const Field root = root_power(v * v * uv) * uv;
  const bool is_square = root * root * v == u;
  return {is_square, choose(is_square, root, root * kRootOfMinusZ)};
}

struct Mapped {
  Field numerator, denominator, y;  // x = numerator / denominator
};

Mapped map_one(const Field& u) {
  const Field zu2 = kZ * (u * u);
  const Field sum = zu2 * zu2 + zu2;
  const Field numerator = kB * (sum + kOne);
  const Field denominator = kA * choose(sum == Field{}, kZ, -sum);
  const Field square = denominator * denominator, cube = square * denominator;
  const Field right_side = (numerator * numerator + kA * square) * numerator + kB * cube;
  const Root first = root_of_ratio(right_side, cube);
  const Field x = choose(first.is_square, numerator, zu2 * numerator);
  const Field y = choose(first.is_square, first.root, zu2 * u * first.root);
  return {x, denominator, choose(is_odd(u) == is_odd(y), y, -y)};
}

}  // namespace

bool read(Field& out, ConstBytes in) {
  check(in.size() == 32, Code::internal, "a number modulo p is read from 32 bytes");
  Field plain;
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    plain.word[i] = load_big_endian(in.data() + 24 - 8 * i);
    borrow = detail::high(static_cast<uint128>(plain.word[i]) - detail::kPrime[i] - borrow) & 1;
  }
  out = from_plain(plain);
  return borrow == 1;
}

Field reduce(ConstBytes wide) {
  check(wide.size() == 48, Code::internal, "a number modulo p is reduced from 48 bytes");
  Field upper, lower;
  for (std::size_t i = 0; i < 4; ++i) lower.word[i] = load_big_endian(wide.data() + 40 - 8 * i);
  for (std::size_t i = 0; i < 2; ++i) upper.word[i] = load_big_endian(wide.data() + 8 - 8 * i);
  return lower * detail::kToForm + upper * detail::kHighToForm;
}

void write(Bytes out, const Field& x) {
  check(out.size() == 32, Code::internal, "a number modulo p is written to 32 bytes");
  const Field plain = to_plain(x);
  for (std::size_t i = 0; i < 32; ++i)
    out[31 - i] = static_cast<std::byte>(plain.word[i / 8] >> (8 * (i % 8)));
}

bool is_odd(const Field& x) { return (to_plain(x).word[0] & 1) != 0; }

Field curve_b() { return kB; }

Field curve_right_side(const Field& x) { return (x * x + kA) * x + kB; }

std::array<Affine, 2> map_to_curve(const std::array<Field, 2>& u) {
  const Mapped first = map_one(u[0]), second = map_one(u[1]);
  const Field both = inverse(first.denominator * second.denominator);
  return {Affine{first.numerator * (both * second.denominator), first.y},
          Affine{second.numerator * (both * first.denominator), second.y}};
}

}  // namespace petcore::group
