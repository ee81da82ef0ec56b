#include "psi/oprf.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "hash/mmo.h"
#include "ring/gf128.h"

namespace petcore::psi {
namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;  // blocks that travel at once
constexpr std::size_t kGrain = 4096;
constexpr std::uint64_t kMark = 0x6f707266;
enum Purpose : std::uint64_t { kRows, kPoint, kOutput };

prg::Seed seed_for(const Link& link, Purpose purpose) {
  return prg::derive(link.seed, {kMark, purpose, 0, 0, 0, 0});
}

// A VOLE has a limit of its own; a table may need several.
template <class Extend>
void extend_all(std::size_t size, const Extend& extend) {
  for (std::size_t begin = 0; begin < size; begin += ot::kVoleMax)
    extend(begin, std::min(ot::kVoleMax, size - begin));
}

// in_pieces calls f with the borders of pieces that together are [0, size).
template <class F>
void in_pieces(std::size_t size, const F& f) {
  for (std::size_t begin = 0; begin < size; begin += kPiece)
    f(begin, std::min(kPiece, size - begin));
}

void hash_in_place(std::span<Block> x, const prg::Seed& key, Pool& pool) {
  const hash::Mmo mmo(key);
  pool.parallel_for(x.size(), kGrain, [&](std::size_t begin, std::size_t end) {
    mmo(x.subspan(begin, end - begin), x.subspan(begin, end - begin));
  });
}

Buffer<std::uint32_t> copy_of(std::span<const std::uint32_t> x) {
  Buffer<std::uint32_t> out(x.size());
  std::copy(x.begin(), x.end(), out.begin());
  return out;
}

// receive_table turns b into K; the pieces of A' are used as they come.
unsigned receive_table(const Link& link, std::span<Block> b, Block delta) {
  std::array<std::byte, 1> attempt;
  link.channel.recv(link.step, attempt);
  check(static_cast<unsigned>(attempt[0]) < kAttemptsMax, Code::frame,
        "a peer names an encoding that cannot be");
  Buffer<Block> piece(std::min(kPiece, b.size()));
  in_pieces(b.size(), [&](std::size_t begin, std::size_t n) {
    const std::span<Block> masked = piece.span().first(n);
    link.channel.recv(link.step, std::as_writable_bytes(masked));
    ring::add_scaled(b.subspan(begin, n), masked, delta);
  });
  return static_cast<unsigned>(attempt[0]);
}

}  // namespace

Evaluated oprf_receive(const Link& link, ot::VoleReceiver& vole, std::span<const Block> keys) {
  const OkvsShape shape = okvs_shape(keys.size());
  Buffer<Block> a(shape.size()), c(shape.size()), table(shape.size());
  extend_all(shape.size(), [&](std::size_t begin, std::size_t n) {
    vole.extend(link.step, a.span().subspan(begin, n), c.span().subspan(begin, n));
  });
  const hash::Mmo point(seed_for(link, kPoint));
  const auto points = [&](std::span<Block> out, const Rows& rows) { point(out, rows.keys()); };
  const Encoding encoding =
      okvs_encode(table.span(), shape, seed_for(link, kRows), keys, points, link.pool);
  const std::array<std::byte, 1> attempt = {static_cast<std::byte>(encoding.attempt)};
  link.channel.send(link.step, attempt);
  in_pieces(shape.size(), [&](std::size_t begin, std::size_t n) {
    for (std::size_t i = begin; i < begin + n; ++i) table[i] ^= a[i];
    link.channel.send(link.step, std::as_bytes(table.span().subspan(begin, n)));
  });
  Evaluated out{Buffer<Block>(keys.size()), copy_of(encoding.rows.order())};
  encoding.rows.decode(out.values.span(), c.span(), link.pool);
  hash_in_place(out.values.span(), seed_for(link, kOutput), link.pool);
  return out;
}

Evaluated oprf_send(const Link& link, ot::VoleSender& vole, std::size_t num_receiver_keys,
                    std::span<const Block> keys) {
  const OkvsShape shape = okvs_shape(num_receiver_keys);
  Buffer<Block> k(shape.size());
  extend_all(shape.size(), [&](std::size_t begin, std::size_t n) {
    vole.extend(link.step, k.span().subspan(begin, n));
  });
  // The first attempt succeeds but once in 2^40: arrange the keys while the receiver encodes.
  const prg::Seed row_seed = seed_for(link, kRows);
  Rows rows(shape, row_seed, 0, keys, link.pool);
  const unsigned attempt = receive_table(link, k.span(), vole.delta());
  if (attempt != 0) rows = Rows(shape, row_seed, attempt, keys, link.pool);
  Evaluated out{Buffer<Block>(keys.size()), copy_of(rows.order())};
  rows.decode(out.values.span(), k.span(), link.pool);
  Buffer<Block> points(keys.size());
  hash::Mmo(seed_for(link, kPoint))(points.span(), rows.keys());
  ring::add_scaled(out.values.span(), points.span(), vole.delta());
  hash_in_place(out.values.span(), seed_for(link, kOutput), link.pool);
  return out;
}

}  // namespace petcore::psi
