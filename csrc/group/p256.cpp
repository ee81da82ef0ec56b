#include "group/p256.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <vector>

#include "group/expand.h"
#include "group/field.h"
#include "prg/prg.h"

namespace petcore::group {
namespace {

// One or two points of work for a thread cost less than starting it.
constexpr std::size_t kGrain = 8;

void hold(int ok) { check(ok == 1, Code::internal, "OpenSSL failed in the group P-256"); }

template <class T>
T* made(T* object) {
  check(object != nullptr, Code::internal, "OpenSSL gave no memory");
  return object;
}

const EC_GROUP* curve() {
  static EC_GROUP* const group = made(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  return group;
}

const BIGNUM* order() { return EC_GROUP_get0_order(curve()); }

unsigned char* raw(std::byte* bytes) { return reinterpret_cast<unsigned char*>(bytes); }
const unsigned char* raw(const std::byte* bytes) {
  return reinterpret_cast<const unsigned char*>(bytes);
}

// Number is a BIGNUM that is wiped, and that OpenSSL treats as a secret.
class Number {
 public:
  Number() : value_(made(BN_new())) { BN_set_flags(value_, BN_FLG_CONSTTIME); }
  explicit Number(ConstBytes big_endian) : Number() {
    made(BN_bin2bn(raw(big_endian.data()), static_cast<int>(big_endian.size()), value_));
  }
  Number(const Number&) = delete;
  Number& operator=(const Number&) = delete;
  ~Number() { BN_clear_free(value_); }

  BIGNUM* get() { return value_; }
  const BIGNUM* get() const { return value_; }
  void write(Bytes out) const {
    check(BN_bn2binpad(value_, raw(out.data()), static_cast<int>(out.size())) >= 0, Code::internal,
          "a number is too long");
  }

 private:
  BIGNUM* value_;
};

// Context is OpenSSL's scratch memory for numbers.
class Context {
 public:
  Context() : value_(made(BN_CTX_new())) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { BN_CTX_free(value_); }
  BN_CTX* get() { return value_; }

 private:
  BN_CTX* value_;
};

void check_sizes(bool agree) {
  check(agree, Code::usage, "the arrays of a batch of points differ in length");
}

}  // namespace

Scalar Scalar::random() {
  Scalar k;
  do {
    prg::random_bytes(k.bytes_);
  } while (k.is_zero() || BN_cmp(Number(k.bytes_).get(), order()) >= 0);
  return k;
}

Scalar Scalar::decode(ConstBytes in, Code blame) {
  check(in.size() == kScalarBytes, blame, "a scalar of P-256 has 32 bytes");
  check(BN_cmp(Number(in).get(), order()) < 0, blame, "a scalar of P-256 is not below the order");
  Scalar k;
  std::copy(in.begin(), in.end(), k.bytes_.begin());
  return k;
}

Scalar Scalar::reduce(ConstBytes wide) {
  check(wide.size() <= 64, Code::usage, "at most 64 bytes are reduced to a scalar");
  const Number x(wide);
  Number remainder;
  hold(BN_nnmod(remainder.get(), x.get(), order(), Context().get()));
  Scalar k;
  remainder.write(k.bytes_);
  return k;
}

void Scalar::encode(Bytes out) const {
  check(out.size() == kScalarBytes, Code::usage, "a scalar of P-256 has 32 bytes");
  std::copy(bytes_.begin(), bytes_.end(), out.begin());
}

bool Scalar::is_zero() const { return *this == Scalar(); }

// By Fermat: x^(n - 2), with OpenSSL's exponentiation that hides its base.
Scalar Scalar::inverse() const {
  check(!is_zero(), Code::usage, "zero has no inverse");
  const Number x(bytes_);
  Number exponent, result;
  made(BN_copy(exponent.get(), order()));
  hold(BN_sub_word(exponent.get(), 2));
  hold(BN_mod_exp_mont_consttime(result.get(), x.get(), exponent.get(), order(), Context().get(),
                                 nullptr));
  Scalar k;
  result.write(k.bytes_);
  return k;
}

Scalar operator+(const Scalar& x, const Scalar& y) {
  Number sum;
  hold(BN_mod_add_quick(sum.get(), Number(x.bytes_).get(), Number(y.bytes_).get(), order()));
  Scalar k;
  sum.write(k.bytes_);
  return k;
}

Scalar operator-(const Scalar& x, const Scalar& y) {
  Number difference;
  hold(BN_mod_sub_quick(difference.get(), Number(x.bytes_).get(), Number(y.bytes_).get(), order()));
  Scalar k;
  difference.write(k.bytes_);
  return k;
}

Scalar operator*(const Scalar& x, const Scalar& y) {
  Number product;
  hold(BN_mod_mul(product.get(), Number(x.bytes_).get(), Number(y.bytes_).get(), order(),
                  Context().get()));
  Scalar k;
  product.write(k.bytes_);
  return k;
}

bool operator==(const Scalar& x, const Scalar& y) {
  return CRYPTO_memcmp(x.bytes_.data(), y.bytes_.data(), kScalarBytes) == 0;
}

void Point::Free::operator()(ec_point_st* point) const { EC_POINT_clear_free(point); }

Point::Point() : point_(made(EC_POINT_new(curve()))) {}

Point::Point(const Point& other) : Point() { *this = other; }

Point& Point::operator=(const Point& other) {
  if (this == &other) return *this;
  if (!point_) point_.reset(made(EC_POINT_new(curve())));
  hold(EC_POINT_copy(point_.get(), other.point_.get()));
  return *this;
}

Point Point::generator() {
  Point p;
  hold(EC_POINT_copy(p.point_.get(), EC_GROUP_get0_generator(curve())));
  return p;
}

Point Point::generator_multiple(const Scalar& k) {
  Point p;
  hold(EC_POINT_mul(curve(), p.point_.get(), Number(k.bytes_).get(), nullptr, nullptr,
                    Context().get()));
  return p;
}

Point Point::from_affine(ConstBytes x, ConstBytes y) {
  Point p;
  hold(EC_POINT_set_affine_coordinates(curve(), p.point_.get(), Number(x).get(), Number(y).get(),
                                       Context().get()));
  return p;
}

Point Point::decode(ConstBytes in, Code blame) {
  check(in.size() == kPointBytes && (in[0] == std::byte{2} || in[0] == std::byte{3}), blame,
        "a point of P-256 is 33 bytes that begin with 02 or 03");
  Field x;
  check(read(x, in.subspan(1)), blame, "the coordinate of a point of P-256 is not below the prime");
  const Field right_side = curve_right_side(x), root = square_root(right_side);
  check(root * root == right_side, blame, "no point of P-256 has this coordinate");
  const bool odd = in[0] == std::byte{3};
  std::array<std::byte, 32> y;
  group::write(y, choose(is_odd(root) == odd, root, -root));
  return from_affine(in.subspan(1), y);
}

void Point::encode(Bytes out) const {
  check(out.size() == kPointBytes, Code::usage, "a point of P-256 is encoded in 33 bytes");
  check(!is_infinity(), Code::usage, "the infinite point has no compressed encoding");
  const std::size_t size = EC_POINT_point2oct(curve(), point_.get(), POINT_CONVERSION_COMPRESSED,
                                              raw(out.data()), out.size(), Context().get());
  check(size == kPointBytes, Code::internal, "OpenSSL encoded no point");
}

bool Point::is_infinity() const { return EC_POINT_is_at_infinity(curve(), point_.get()) == 1; }

Point operator*(const Scalar& k, const Point& p) {
  Point product;
  hold(EC_POINT_mul(curve(), product.point_.get(), nullptr, p.point_.get(), Number(k.bytes_).get(),
                    Context().get()));
  return product;
}

Point operator+(const Point& p, const Point& q) {
  Point sum;
  hold(EC_POINT_add(curve(), sum.point_.get(), p.point_.get(), q.point_.get(), Context().get()));
  return sum;
}

Point operator-(const Point& p, const Point& q) {
  Point negative = q;
  Context context;
  hold(EC_POINT_invert(curve(), negative.point_.get(), context.get()));
  return p + negative;
}

bool operator==(const Point& p, const Point& q) {
  const int differ = EC_POINT_cmp(curve(), p.point_.get(), q.point_.get(), Context().get());
  check(differ >= 0, Code::internal, "OpenSSL compared no points");
  return differ == 0;
}

Point hash_to_curve(std::span<const ConstBytes> message, std::string_view tag) {
  std::array<std::byte, 96> uniform;
  expand_message(uniform, message, tag);
  const ConstBytes both = uniform;
  const auto mapped = map_to_curve({reduce(both.first(48)), reduce(both.last(48))});
  std::array<Point, 2> point;
  for (std::size_t i = 0; i < 2; ++i) {
    std::array<std::byte, 32> x, y;
    write(x, mapped[i].x);
    write(y, mapped[i].y);
    point[i] = Point::from_affine(x, y);
  }
  wipe(uniform.data(), uniform.size());
  return point[0] + point[1];
}

Point hash_to_curve(ConstBytes message, std::string_view tag) {
  return hash_to_curve({&message, 1}, tag);
}

Scalar hash_to_scalar(std::span<const ConstBytes> message, std::string_view tag) {
  std::array<std::byte, 48> uniform;
  expand_message(uniform, message, tag);
  const Scalar k = Scalar::reduce(uniform);
  wipe(uniform.data(), uniform.size());
  return k;
}

Scalar hash_to_scalar(ConstBytes message, std::string_view tag) {
  return hash_to_scalar({&message, 1}, tag);
}

void multiply_each(Pool& pool, std::span<Point> out, std::span<const Point> in, const Scalar& k) {
  check_sizes(out.size() == in.size());
  pool.parallel_for(in.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = k * in[i];
  });
}

void invert_each(std::span<Scalar> scalars) {
  if (scalars.empty()) return;
  std::vector<Scalar> before(scalars.size());  // the product of all before this one
  for (std::size_t i = 1; i < scalars.size(); ++i) before[i] = scalars[i - 1];
  for (std::size_t i = 2; i < scalars.size(); ++i) before[i] = before[i - 1] * before[i];
  Scalar rest = (scalars.size() == 1 ? scalars[0] : before.back() * scalars.back()).inverse();
  for (std::size_t i = scalars.size(); i-- > 1;) {
    const Scalar inverted = rest * before[i];
    rest = rest * scalars[i];
    scalars[i] = inverted;
  }
  scalars[0] = rest;
}

void encode_each(Pool& pool, Bytes out, std::span<const Point> in) {
  check_sizes(out.size() == in.size() * kPointBytes);
  pool.parallel_for(in.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      in[i].encode(out.subspan(i * kPointBytes, kPointBytes));
  });
}

void decode_each(Pool& pool, std::span<Point> out, ConstBytes in, Code blame) {
  check(in.size() == out.size() * kPointBytes, blame, "encoded points have 33 bytes each");
  pool.parallel_for(out.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      out[i] = Point::decode(in.subspan(i * kPointBytes, kPointBytes), blame);
  });
}

}  // namespace petcore::group
