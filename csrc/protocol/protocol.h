// Protocol: the interactive operations that every row of the registry offers.
//
// Arithmetic shares are words over Z_2^64, boolean shares are packed bits (bits/bits.h). A share of
// n elements is `components()` such vectors, one after the other. Outputs never alias inputs.
// Parameter order: context, outputs, inputs. Rounds, bytes and correlations: see declared().
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/cost.h"
#include "protocol/env.h"

namespace petcore::protocol {

enum class Op : std::uint8_t {
  input,
  open,
  open_bits,
  reveal,
  reveal_bits,
  mul,
  square,
  matmul,
  and_bits,
  mul_bit,
  msb,
  equal_zero,
  bits,
  fss_sign,
  fss_zero,
  fss_interval,
  fss_select,
  b2a,
  truncate,
  truncate_exact,
  mask,
  masked_matmul,
  exp,
  sigmoid,
  tanh,
  log,
  sqrt,
  rsqrt,
  reciprocal,
};
constexpr std::size_t kNumOps = static_cast<std::size_t>(Op::reciprocal) + 1;
const char* op_name(Op op);
// op_from_name raises Code::usage for an unknown word, listing those there are.
Op op_from_name(std::string_view name);

// The functions of reals, the last of the operations, take words with 16 to 24 fraction bits.
inline bool is_function(Op op) { return op >= Op::exp; }
// check_frac_bits raises Code::usage for others.
void check_frac_bits(std::uint64_t frac_bits);

// BitRange says which bits of an element a comparison has to look at.
struct BitRange {
  unsigned width = 64;  // x is taken mod 2^width: its sign is bit width - 1
  unsigned drop = 0;    // x is first divided by 2^drop, rounded down or one lower
};
// check_range raises Code::usage unless 1 <= width <= 64 and at least one bit is left.
void check_range(BitRange range);

// MaskedShare is a matrix share whose masked opening all parties hold: multiply by it as often as
// you like, each time for the price of opening the other operand.
struct MaskedShare {
  std::shared_ptr<const void> session;  // the mark of the only session that may use it
  std::uint64_t rows = 0, columns = 0;
  correlation::Request mask;  // where the mask comes from
  Buffer<std::uint64_t> share, mask_share;
  Buffer<std::uint64_t> opened;  // x - mask, in clear
};

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual int components() const = 0;
  // declared is the cost of op for the sizes that op takes (n, or n and bits, or m, k, n; bits to
  // truncate by may follow those of a product).
  virtual Cost declared(Op op, std::span<const std::uint64_t> dims) const = 0;

  // values is empty at every party but the owner.
  virtual void input(Env& env, Words out, ConstWords values, int owner) const = 0;
  virtual void input_bits(Env& env, Words out, ConstWords values, int owner) const = 0;
  virtual void open(Env& env, Words out, ConstWords x) const = 0;
  virtual void open_bits(Env& env, Words out, ConstWords x) const = 0;
  // reveal: out is filled at party `to` only and may be empty elsewhere.
  virtual void reveal(Env& env, Words out, ConstWords x, int to) const = 0;
  virtual void reveal_bits(Env& env, Words out, ConstWords x, int to) const = 0;

  // Local.
  virtual void add_public(int party, Words out, ConstWords x, ConstWords value) const = 0;
  virtual void xor_public(int party, Words out, ConstWords x, ConstWords value) const = 0;

  // Products are truncated at once, as by truncate(), where `truncate` > 0: in one round more.
  virtual void mul(Env& env, Words out, ConstWords x, ConstWords y, unsigned truncate) const = 0;
  virtual void square(Env& env, Words out, ConstWords x, unsigned truncate) const = 0;
  virtual void matmul(Env& env, Words out, ConstWords x, ConstWords y, std::uint64_t m,
                      std::uint64_t k, std::uint64_t n, unsigned truncate) const = 0;
  virtual void and_bits(Env& env, Words out, ConstWords x, ConstWords y) const = 0;
  // mul_bit: out = bit * x for n = x.size() / components() elements.
  virtual void mul_bit(Env& env, Words out, ConstWords bit, ConstWords x) const = 0;

  // msb: the sign of every element, for -2^(width-1) <= x < 2^(width-1). Where bits are dropped, an
  // element from 0 to 2^drop - 1 may count as negative, and x begins 2^drop higher.
  virtual void msb(Env& env, Words out, ConstWords x, BitRange range) const = 0;
  // equal_zero: whether the lowest `width` bits of an element are zero.
  virtual void equal_zero(Env& env, Words out, ConstWords x, unsigned width) const = 0;
  // bits: out holds one word per element; bit j of word i is the share of bit j of x[i], for j
  // below `width`; the others are zero.
  virtual void bits(Env& env, Words out, ConstWords x, unsigned width) const = 0;
  // In one round, by keys that a dealer makes (function secret sharing): msb, equal_zero, and
  // whether low <= x < high mod 2^width, which wraps where high < low; bounds are public. select:
  // the sign times y, in two rounds.
  virtual void fss_sign(Env& env, Words out, ConstWords x, BitRange range) const = 0;
  virtual void fss_zero(Env& env, Words out, ConstWords x, unsigned width) const = 0;
  virtual void fss_interval(Env& env, Words out, ConstWords x, ConstWords low, ConstWords high,
                            unsigned width) const = 0;
  virtual void fss_select(Env& env, Words out, ConstWords x, ConstWords y,
                          BitRange range) const = 0;
  virtual void b2a(Env& env, Words out, ConstWords bit) const = 0;

  // truncate: x / 2^f as a signed number, off by at most one unit and unbiased; exact:
  // floor(x / 2^f). Both for -2^62 <= x < 2^62 and 1 <= f <= 61; beyond, the result is wrong.
  virtual void truncate(Env& env, Words out, ConstWords x, unsigned f) const = 0;
  virtual void truncate_exact(Env& env, Words out, ConstWords x, unsigned f) const = 0;

  // function: one of the functions of reals, for words with f fraction bits. Domains and errors
  // stand in the Python package, by name.
  virtual void function(Env& env, Op op, Words out, ConstWords x, unsigned f) const = 0;

  virtual void mask(Env& env, MaskedShare& x) const = 0;
  virtual void masked_matmul(Env& env, Words out, const MaskedShare& x, ConstWords y,
                             std::uint64_t row_begin, std::uint64_t row_end, bool transposed,
                             std::uint64_t n, unsigned truncate) const = 0;
};

}  // namespace petcore::protocol
