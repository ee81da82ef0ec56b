// semi2k: two-party additive sharing over Z_2^64, x = x0 + x1; bits as b = b0 ^ b1.
//   Papers: Beaver (CRYPTO 1991) for products; Mohassel and Zhang, "SecureML" (S&P 2017) for a
//           matrix masked once; Escudero et al., "Improved primitives for MPC over mixed
//           arithmetic-binary circuits" (CRYPTO 2020) for edaBits, comparison and truncation.
//   Adversary: semi-honest, one of the two parties; correlations by correlation::Source.
//   Leaks: nothing beyond sizes while results stay shared. Truncation, dropped bits of a comparison
//          and the functions of reals err within their stated bounds by amounts that depend on the
//          shares and on public masked values: coins that a party knows. So whoever opens a result
//          learns of its input what the exact result tells, and what the error tells given these
//          coins, as by rounding at a threshold that is known.
//          Masks are uniform; modulo 2^64 - 1 they are within 2^-63 of it, for each number opened.
#pragma once

#include <memory>

#include "protocol/protocol.h"
#include "protocol/setting.h"

namespace petcore::protocol::semi2k {

std::unique_ptr<Protocol> make(Setting setting);

class Semi2k : public Protocol {
 public:
  explicit Semi2k(Setting setting) : setting_(setting) {}
  int components() const override { return 1; }
  Cost declared(Op op, std::span<const std::uint64_t> dims) const override;

  void input(Env& env, Words out, ConstWords values, int owner) const override;
  void input_bits(Env& env, Words out, ConstWords values, int owner) const override;
  void open(Env& env, Words out, ConstWords x) const override;
  void open_bits(Env& env, Words out, ConstWords x) const override;
  void reveal(Env& env, Words out, ConstWords x, int to) const override;
  void reveal_bits(Env& env, Words out, ConstWords x, int to) const override;
  void add_public(int party, Words out, ConstWords x, ConstWords value) const override;
  void xor_public(int party, Words out, ConstWords x, ConstWords value) const override;

  void mul(Env& env, Words out, ConstWords x, ConstWords y, unsigned truncate) const override;
  void square(Env& env, Words out, ConstWords x, unsigned truncate) const override;
  void matmul(Env& env, Words out, ConstWords x, ConstWords y, std::uint64_t m, std::uint64_t k,
              std::uint64_t n, unsigned truncate) const override;
  void mask(Env& env, MaskedShare& x) const override;
  void masked_matmul(Env& env, Words out, const MaskedShare& x, ConstWords y,
                     std::uint64_t row_begin, std::uint64_t row_end, bool transposed,
                     std::uint64_t n, unsigned truncate) const override;

  void and_bits(Env& env, Words out, ConstWords x, ConstWords y) const override;
  void mul_bit(Env& env, Words out, ConstWords bit, ConstWords x) const override;
  void b2a(Env& env, Words out, ConstWords bit) const override;

  void msb(Env& env, Words out, ConstWords x, BitRange range) const override;
  void equal_zero(Env& env, Words out, ConstWords x, unsigned width) const override;
  void bits(Env& env, Words out, ConstWords x, unsigned width) const override;
  void fss_sign(Env& env, Words out, ConstWords x, BitRange range) const override;
  void fss_zero(Env& env, Words out, ConstWords x, unsigned width) const override;
  void fss_interval(Env& env, Words out, ConstWords x, ConstWords low, ConstWords high,
                    unsigned width) const override;
  void fss_select(Env& env, Words out, ConstWords x, ConstWords y, BitRange range) const override;

  void truncate(Env& env, Words out, ConstWords x, unsigned f) const override;
  void truncate_exact(Env& env, Words out, ConstWords x, unsigned f) const override;
  void function(Env& env, Op op, Words out, ConstWords x, unsigned f) const override;

 private:
  void check_keyed() const;  // Code::usage where nobody makes keys
  Cost added_up(Op op, std::span<const std::uint64_t> dims) const;

  Setting setting_;
};

inline int other(int party) { return 1 - party; }

// chunk_at is the range of chunk i of n elements.
struct Range {
  std::size_t begin, size;
};
inline std::size_t num_chunks(std::size_t n) {
  return (n + correlation::kChunk - 1) / correlation::kChunk;
}
inline Range chunk_at(std::size_t i, std::size_t n) {
  const std::size_t begin = i * correlation::kChunk;
  return {begin, std::min<std::size_t>(correlation::kChunk, n - begin)};
}
inline std::size_t chunk_words(std::size_t n) {
  return std::min<std::size_t>(n, correlation::kChunk);
}

}  // namespace petcore::protocol::semi2k
