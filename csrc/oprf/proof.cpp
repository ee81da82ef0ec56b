#include "oprf/proof.h"

#include <array>
#include <mutex>
#include <vector>

#include "group/expand.h"

namespace petcore::oprf {
namespace {

using group::bytes_of;
using group::kPointBytes;
using group::kScalarBytes;
using group::Point;
using group::Scalar;

constexpr std::size_t kGrain = 8;

// Transcript: each part with its length in front, in two big-endian bytes.
class Transcript {
 public:
  void put_number(std::size_t number) {
    bytes_.push_back(static_cast<std::byte>(number >> 8));
    bytes_.push_back(static_cast<std::byte>(number));
  }
  void put(ConstBytes part) {
    put_number(part.size());
    put_end(part);
  }
  void put(const Point& point) {
    std::array<std::byte, kPointBytes> encoded;
    point.encode(encoded);
    put(encoded);
  }
  void put_end(ConstBytes part) { bytes_.insert(bytes_.end(), part.begin(), part.end()); }
  ConstBytes bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

Scalar to_scalar(const Transcript& transcript, const std::string& context) {
  return group::hash_to_scalar(transcript.bytes(), "HashToScalar-" + context);
}

// Composites: M = sum d_i C[i] and, where asked for, Z = sum d_i D[i], with d_i from a hash.
struct Composites {
  Point m, z;
};

Composites composites(Pool& pool, const Statement& statement, bool with_z) {
  Transcript seed_text;
  seed_text.put(statement.b);
  seed_text.put(bytes_of("Seed-" + statement.context));
  const ConstBytes text = seed_text.bytes();
  const group::Digest seed = group::sha256({&text, 1});
  Composites sum;
  std::mutex adding;
  const auto part = [&](std::size_t begin, std::size_t end) {
    Composites own;
    for (std::size_t i = begin; i < end; ++i) {
      const ConstBytes c = statement.c.subspan(i * kPointBytes, kPointBytes);
      const ConstBytes d = statement.d.subspan(i * kPointBytes, kPointBytes);
      Transcript transcript;
      transcript.put(seed);
      transcript.put_number(i);
      transcript.put(c);
      transcript.put(d);
      transcript.put_end(bytes_of("Composite"));
      const Scalar weight = to_scalar(transcript, statement.context);
      own.m = own.m + weight * Point::decode(c);
      if (with_z) own.z = own.z + weight * Point::decode(d);
    }
    const std::lock_guard lock(adding);
    sum.m = sum.m + own.m;
    if (with_z) sum.z = sum.z + own.z;
  };
  pool.parallel_for(statement.c.size() / kPointBytes, kGrain, part);
  return sum;
}

Scalar challenge(const Statement& statement, const Composites& sum, const Point& t2,
                 const Point& t3) {
  Transcript transcript;
  for (const Point* point : {&statement.b, &sum.m, &sum.z, &t2, &t3}) transcript.put(*point);
  transcript.put_end(bytes_of("Challenge"));
  return to_scalar(transcript, statement.context);
}

}  // namespace

void prove(Bytes out, Pool& pool, const Statement& statement, const Scalar& k,
           const Scalar& nonce) {
  Composites sum = composites(pool, statement, false);
  sum.z = k * sum.m;
  const Scalar c = challenge(statement, sum, Point::generator_multiple(nonce), nonce * sum.m);
  c.encode(out.first(kScalarBytes));
  (nonce - c * k).encode(out.last(kScalarBytes));
}

bool verify(ConstBytes proof, Pool& pool, const Statement& statement) {
  check(proof.size() == 2 * kScalarBytes, Code::frame, "a proof has 64 bytes");
  const Scalar c = Scalar::decode(proof.first(kScalarBytes));
  const Scalar s = Scalar::decode(proof.last(kScalarBytes));
  const Composites sum = composites(pool, statement, true);
  const Point t2 = Point::generator_multiple(s) + c * statement.b;
  const Point t3 = s * sum.m + c * sum.z;
  // A forger can bring these about; they have no encoding.
  if (sum.m.is_infinity() || sum.z.is_infinity() || t2.is_infinity() || t3.is_infinity())
    return false;
  return challenge(statement, sum, t2, t3) == c;
}

}  // namespace petcore::oprf
