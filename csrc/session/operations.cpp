// The operations of a session: check sizes, name the step, run the protocol. Boolean shares are one
// byte per bit outside and packed inside.
#include <algorithm>

#include "bits/bits.h"
#include "ring/ring.h"
#include "session/session.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

using petcore::bits::num_words;

void same_size(std::size_t x, std::size_t y) {
  check(x == y, Code::usage, "two operands have different numbers of elements");
}

// in_bits is empty for whole words.
std::string in_bits(unsigned width, unsigned drop = 0) {
  if (width == 64 && drop == 0) return "";
  return " in bits " + std::to_string(drop) + " to " + std::to_string(width - 1);
}

// then_truncate is part of a step's name, so that parties who truncate differently disagree.
std::string then_truncate(unsigned bits) {
  check(bits <= 61, Code::usage, "a product can be truncated by at most 61 bits");
  return bits == 0 ? "" : ", truncate by " + std::to_string(bits) + " bits";
}

}  // namespace

// Pads every component to whole words: packed shares of n bits take num_words(n) words each.
Buffer<std::uint64_t> Session::pack(Bits x) const {
  check_share(x.size());
  const auto parts = static_cast<std::size_t>(components());
  const std::size_t n = x.size() / parts, words = num_words(n);
  Buffer<std::uint64_t> out(parts * words);
  for (std::size_t i = 0; i < parts; ++i)
    petcore::bits::pack(out.span().subspan(i * words, words), x.subspan(i * n, n));
  return out;
}

Buffer<std::uint8_t> Session::unpack(ConstWords x, std::size_t n) const {
  const std::size_t parts = x.size() / num_words(n), words = num_words(n);
  Buffer<std::uint8_t> out(parts * n);
  for (std::size_t i = 0; i < parts; ++i)
    petcore::bits::unpack(out.span().subspan(i * n, n), x.subspan(i * words, words));
  return out;
}

std::size_t Session::elements(std::size_t share_size) const {
  check_share(share_size);
  return share_size / static_cast<std::size_t>(components());
}

Buffer<std::uint8_t> Session::open_bits(Bits x, const std::string& label) {
  const std::size_t n = elements(x.size());
  const Buffer<std::uint64_t> packed = pack(x);
  Buffer<std::uint64_t> out(num_words(n));
  run("open " + label + " of " + count(n) + " (bool)",
      [&](protocol::Env& env) { protocol_->open_bits(env, out.span(), packed.span()); });
  return unpack(out.span(), n);
}

std::optional<Buffer<std::uint8_t>> Session::reveal_bits(Bits x, int to, const std::string& label) {
  check(to >= 0 && to < static_cast<int>(config_.names.size()), Code::usage,
        "a value can be revealed to a party of this session only");
  const std::size_t n = elements(x.size());
  const bool mine = to == config_.party;
  const Buffer<std::uint64_t> packed = pack(x);
  Buffer<std::uint64_t> out(mine ? num_words(n) : 0);
  run("reveal " + label + " of " + count(n) + " (bool) to " +
          config_.names[static_cast<std::size_t>(to)],
      [&](protocol::Env& env) { protocol_->reveal_bits(env, out.span(), packed.span(), to); });
  if (!mine) return std::nullopt;
  return unpack(out.span(), n);
}

Buffer<std::uint8_t> Session::xor_public(Bits x, Bits value) {
  same_size(elements(x.size()), value.size());
  const Buffer<std::uint64_t> packed = pack(x);
  Buffer<std::uint64_t> known(num_words(value.size())), out(packed.size());
  petcore::bits::pack(known.span(), value);
  protocol_->xor_public(config_.party, out.span(), packed.span(), known.span());
  return unpack(out.span(), value.size());
}

Buffer<std::uint64_t> Session::mul(ConstWords x, ConstWords y, unsigned truncate) {
  same_size(x.size(), y.size());
  Buffer<std::uint64_t> out(x.size());
  run("multiply " + count(elements(x.size())) + then_truncate(truncate),
      [&](protocol::Env& env) { protocol_->mul(env, out.span(), x, y, truncate); });
  return out;
}

Buffer<std::uint64_t> Session::square(ConstWords x, unsigned truncate) {
  Buffer<std::uint64_t> out(x.size());
  run("square " + count(elements(x.size())) + then_truncate(truncate),
      [&](protocol::Env& env) { protocol_->square(env, out.span(), x, truncate); });
  return out;
}

Buffer<std::uint64_t> Session::matmul(ConstWords x, ConstWords y, std::uint64_t m, std::uint64_t k,
                                      std::uint64_t n, unsigned truncate) {
  using correlation::matrix_words;
  check(elements(x.size()) == matrix_words(m, k, Code::usage) &&
            elements(y.size()) == matrix_words(k, n, Code::usage),
        Code::usage, "matrix operands do not have the sizes m x k and k x n");
  Buffer<std::uint64_t> out(matrix_words(m, n, Code::usage) *
                            static_cast<std::size_t>(components()));
  run("multiply matrices " + std::to_string(m) + " x " + std::to_string(k) + " x " +
          std::to_string(n) + then_truncate(truncate),
      [&](protocol::Env& env) { protocol_->matmul(env, out.span(), x, y, m, k, n, truncate); });
  return out;
}

Buffer<std::uint8_t> Session::and_bits(Bits x, Bits y) {
  same_size(x.size(), y.size());
  const std::size_t n = elements(x.size());
  const Buffer<std::uint64_t> px = pack(x), py = pack(y);
  Buffer<std::uint64_t> out(px.size());
  run("and " + count(n),
      [&](protocol::Env& env) { protocol_->and_bits(env, out.span(), px.span(), py.span()); });
  return unpack(out.span(), n);
}

Buffer<std::uint64_t> Session::mul_bit(Bits bit, ConstWords x) {
  same_size(bit.size(), x.size());
  const Buffer<std::uint64_t> packed = pack(bit);
  Buffer<std::uint64_t> out(x.size());
  run("multiply bits with " + count(elements(x.size())),
      [&](protocol::Env& env) { protocol_->mul_bit(env, out.span(), packed.span(), x); });
  return out;
}

Buffer<std::uint64_t> Session::select(Bits bit, ConstWords x, ConstWords y) {
  same_size(x.size(), y.size());
  Buffer<std::uint64_t> difference(x.size());
  ring::sub(difference.span(), x, y);
  Buffer<std::uint64_t> out = mul_bit(bit, difference.span());
  ring::add(out.span(), out.span(), y);
  return out;
}

Buffer<std::uint8_t> Session::msb(ConstWords x, protocol::BitRange range) {
  protocol::check_range(range);
  const std::size_t n = elements(x.size());
  Buffer<std::uint64_t> out(num_words(n) * static_cast<std::size_t>(components()));
  run("compare " + count(n) + in_bits(range.width, range.drop),
      [&](protocol::Env& env) { protocol_->msb(env, out.span(), x, range); });
  return unpack(out.span(), n);
}

Buffer<std::uint8_t> Session::equal_zero(ConstWords x, unsigned width) {
  protocol::check_range({.width = width});
  const std::size_t n = elements(x.size());
  Buffer<std::uint64_t> out(num_words(n) * static_cast<std::size_t>(components()));
  run("test for zero " + count(n) + in_bits(width),
      [&](protocol::Env& env) { protocol_->equal_zero(env, out.span(), x, width); });
  return unpack(out.span(), n);
}

Buffer<std::uint8_t> Session::bits(ConstWords x, unsigned width) {
  protocol::check_range({.width = width});
  Buffer<std::uint64_t> words(x.size());
  run("decompose into bits " + count(elements(x.size())) + in_bits(width),
      [&](protocol::Env& env) { protocol_->bits(env, words.span(), x, width); });
  if (width == 64) return unpack(words.span(), 64 * words.size());
  Buffer<std::uint8_t> out(width * words.size()), all(64);
  for (std::size_t i = 0; i < words.size(); ++i) {
    petcore::bits::unpack(all.span(), words.span().subspan(i, 1));
    std::copy_n(all.begin(), width, out.begin() + i * width);
  }
  return out;
}

Buffer<std::uint8_t> Session::fss_sign(ConstWords x, protocol::BitRange range) {
  protocol::check_range(range);
  const std::size_t n = elements(x.size());
  Buffer<std::uint64_t> out(num_words(n) * static_cast<std::size_t>(components()));
  run("compare by keys " + count(n) + in_bits(range.width, range.drop),
      [&](protocol::Env& env) { protocol_->fss_sign(env, out.span(), x, range); });
  return unpack(out.span(), n);
}

Buffer<std::uint8_t> Session::fss_zero(ConstWords x, unsigned width) {
  protocol::check_range({.width = width});
  const std::size_t n = elements(x.size());
  Buffer<std::uint64_t> out(num_words(n) * static_cast<std::size_t>(components()));
  run("test for zero by keys " + count(n) + in_bits(width),
      [&](protocol::Env& env) { protocol_->fss_zero(env, out.span(), x, width); });
  return unpack(out.span(), n);
}

Buffer<std::uint8_t> Session::fss_interval(ConstWords x, ConstWords low, ConstWords high,
                                           unsigned width) {
  protocol::check_range({.width = width});
  const std::size_t n = elements(x.size());
  same_size(n, low.size());
  same_size(n, high.size());
  Buffer<std::uint64_t> out(num_words(n) * static_cast<std::size_t>(components()));
  run("compare with intervals by keys " + count(n) + in_bits(width),
      [&](protocol::Env& env) { protocol_->fss_interval(env, out.span(), x, low, high, width); });
  return unpack(out.span(), n);
}

Buffer<std::uint64_t> Session::fss_select(ConstWords x, ConstWords y, protocol::BitRange range) {
  protocol::check_range(range);
  same_size(x.size(), y.size());
  Buffer<std::uint64_t> out(x.size());
  run("multiply by the sign by keys " + count(elements(x.size())) +
          in_bits(range.width, range.drop),
      [&](protocol::Env& env) { protocol_->fss_select(env, out.span(), x, y, range); });
  return out;
}

Buffer<std::uint64_t> Session::b2a(Bits bit) {
  const Buffer<std::uint64_t> packed = pack(bit);
  Buffer<std::uint64_t> out(bit.size());
  run("convert bits to words, " + count(elements(bit.size())),
      [&](protocol::Env& env) { protocol_->b2a(env, out.span(), packed.span()); });
  return out;
}

Buffer<std::uint64_t> Session::truncate(ConstWords x, unsigned bits, bool exact) {
  check(bits >= 1 && bits <= 61, Code::usage, "truncation takes 1 to 61 bits");
  Buffer<std::uint64_t> out(x.size());
  run((exact ? "truncate exactly by " : "truncate by ") + std::to_string(bits) + " bits, " +
          count(elements(x.size())),
      [&](protocol::Env& env) {
        if (exact) return protocol_->truncate_exact(env, out.span(), x, bits);
        protocol_->truncate(env, out.span(), x, bits);
      });
  return out;
}

Buffer<std::uint64_t> Session::function(ConstWords x, const std::string& name, unsigned frac_bits) {
  const protocol::Op op = protocol::op_from_name(name);
  check(protocol::is_function(op), Code::usage, "that operation is not a function of reals");
  protocol::check_frac_bits(frac_bits);
  Buffer<std::uint64_t> out(x.size());
  run(name + " of " + count(elements(x.size())) + " with " + std::to_string(frac_bits) +
          " fraction bits",
      [&](protocol::Env& env) { protocol_->function(env, op, out.span(), x, frac_bits); });
  return out;
}

std::shared_ptr<protocol::MaskedShare> Session::mask(ConstWords x, std::uint64_t rows,
                                                     std::uint64_t columns) {
  check(elements(x.size()) == correlation::matrix_words(rows, columns, Code::usage), Code::usage,
        "a matrix to mask does not have rows x columns elements");
  auto masked = std::make_shared<protocol::MaskedShare>();
  masked->rows = rows;
  masked->columns = columns;
  masked->session = identity_;
  masked->share = Buffer<std::uint64_t>(x.size());
  std::copy(x.begin(), x.end(), masked->share.begin());
  run("mask a matrix " + std::to_string(rows) + " x " + std::to_string(columns),
      [&](protocol::Env& env) { protocol_->mask(env, *masked); });
  return masked;
}

Buffer<std::uint64_t> Session::masked_matmul(const protocol::MaskedShare& x, ConstWords y,
                                             std::uint64_t row_begin, std::uint64_t row_end,
                                             bool transposed, std::uint64_t n, unsigned truncate) {
  check(x.session == identity_, Code::usage, "a masked matrix belongs to another session");
  check(row_begin < row_end && row_end <= x.rows, Code::usage,
        "the rows asked for are not rows of the masked matrix");
  const std::uint64_t rows = row_end - row_begin;
  const std::uint64_t inner = transposed ? rows : x.columns, outer = transposed ? x.columns : rows;
  check(elements(y.size()) == correlation::matrix_words(inner, n, Code::usage), Code::usage,
        "the right operand does not fit the masked matrix");
  Buffer<std::uint64_t> out(correlation::matrix_words(outer, n, Code::usage) *
                            static_cast<std::size_t>(components()));
  run("multiply a masked matrix, " + std::to_string(outer) + " x " + std::to_string(inner) + " x " +
          std::to_string(n) + then_truncate(truncate),
      [&](protocol::Env& env) {
        protocol_->masked_matmul(env, out.span(), x, y, row_begin, row_end, transposed, n,
                                 truncate);
      });
  return out;
}

}  // namespace petcore::session
