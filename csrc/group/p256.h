// The prime-order group of NIST P-256 (FIPS 186-5; SEC 2, secp256r1): scalars modulo its order and
// points, over OpenSSL's constant-time implementation (Gueron, Krasnov, "Fast prime field
// elliptic-curve cryptography with 256-bit primes", J. Cryptographic Engineering 5, 2015).
//
// Times do not depend on the value of a scalar or a point, except that the infinite point, zero
// and a value whose upper 64-bit words vanish (chance 2^-64) may be told apart. Points and scalars
// wipe themselves. The curve has cofactor one: every decoded point is in the group.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "base/error.h"
#include "base/pool.h"

struct ec_point_st;

namespace petcore::group {

inline constexpr std::size_t kScalarBytes = 32;
inline constexpr std::size_t kPointBytes = 33;  // SEC 1, compressed

class Point;

// Scalar is a number modulo the order of the group.
class Scalar {
 public:
  Scalar() = default;  // zero
  Scalar(const Scalar&) = default;
  Scalar& operator=(const Scalar&) = default;
  ~Scalar() { wipe(bytes_.data(), bytes_.size()); }

  // random is uniform among the invertible scalars, from the system's CSPRNG (Code::entropy).
  static Scalar random();
  // decode reads 32 bytes, big-endian, below the order; anything else raises `blame`.
  static Scalar decode(ConstBytes in, Code blame = Code::frame);
  // reduce takes a big-endian number of at most 64 bytes modulo the order.
  static Scalar reduce(ConstBytes wide);
  void encode(Bytes out) const;

  bool is_zero() const;
  Scalar inverse() const;  // of zero: Code::usage
  friend Scalar operator+(const Scalar& x, const Scalar& y);
  friend Scalar operator-(const Scalar& x, const Scalar& y);
  friend Scalar operator*(const Scalar& x, const Scalar& y);
  friend bool operator==(const Scalar& x, const Scalar& y);

 private:
  friend class Point;
  friend Point operator*(const Scalar& k, const Point& p);
  std::array<std::byte, kScalarBytes> bytes_{};  // big-endian, below the order
};

// Point is an element of the group.
class Point {
 public:
  Point();  // infinity, the neutral element
  Point(const Point& other);
  Point(Point&&) noexcept = default;
  Point& operator=(const Point& other);
  Point& operator=(Point&&) noexcept = default;

  static Point generator();
  // generator_multiple is k times the generator, faster than a product with any other point.
  static Point generator_multiple(const Scalar& k);
  // decode reads a compressed point (02 or 03, then x). Another length or form, x not below the
  // prime, or x of no point raises `blame`; infinity has no such form and is refused with them.
  static Point decode(ConstBytes in, Code blame = Code::frame);
  // encode writes kPointBytes; infinity raises Code::usage.
  void encode(Bytes out) const;

  bool is_infinity() const;
  friend Point operator*(const Scalar& k, const Point& p);
  friend Point operator+(const Point& p, const Point& q);
  friend Point operator-(const Point& p, const Point& q);
  friend bool operator==(const Point& p, const Point& q);

 private:
  struct Free {
    void operator()(ec_point_st* point) const;
  };
  friend Point hash_to_curve(std::span<const ConstBytes> message, std::string_view tag);
  // from_affine takes two big-endian coordinates of a point on the curve.
  static Point from_affine(ConstBytes x, ConstBytes y);

  std::unique_ptr<ec_point_st, Free> point_;
};

// hash_to_curve is P256_XMD:SHA-256_SSWU_RO_ of RFC 9380, section 8.2: indifferentiable from a
// random oracle into the group. `message` is the parts of one message, hashed one after another;
// `tag` is the domain separation tag of the protocol, 1 to 255 bytes (Code::usage otherwise). Its
// time depends on the length of the message alone.
Point hash_to_curve(std::span<const ConstBytes> message, std::string_view tag);
Point hash_to_curve(ConstBytes message, std::string_view tag);
// hash_to_scalar is hash_to_field of RFC 9380, section 5.2, for one number modulo the order, L
// = 48.
Scalar hash_to_scalar(std::span<const ConstBytes> message, std::string_view tag);
Scalar hash_to_scalar(ConstBytes message, std::string_view tag);

// Batches: item i of out comes of item i of in alone; the pool's threads share the work.
// Sizes that do not fit raise Code::usage. out may be in.
void multiply_each(Pool& pool, std::span<Point> out, std::span<const Point> in, const Scalar& k);
// invert_each takes one inversion for all (Montgomery's trick); a zero among them: Code::usage.
void invert_each(std::span<Scalar> scalars);
// Encoded points lie one after another, kPointBytes each.
void encode_each(Pool& pool, Bytes out, std::span<const Point> in);
void decode_each(Pool& pool, std::span<Point> out, ConstBytes in, Code blame = Code::frame);

}  // namespace petcore::group
