// Products of whole words: Gilboa's, number by number and for matrices.
#include <algorithm>
#include <array>

#include "base/error.h"
#include "bits/bits.h"
#include "ot/gilboa.h"
#include "ot/pads.h"
#include "ot/products_state.h"
#include "ot/softspoken.h"
#include "ring/ring.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kTransfers = kSoftSpokenBlock;  // at most, in a block
constexpr std::size_t kPairs = 1024;  // at most, of a number's bits and a column, in a block
constexpr std::size_t kPanel = 1024;  // columns that share transfers

std::size_t size_of(Modulus modulus) { return modulus == Modulus::wide ? 2 : 1; }

// Numbers: n numbers of one party (or the n it asks about), in blocks.
struct Numbers {
  std::size_t n, words;  // words in each number

  std::size_t per_block() const { return kTransfers / (64 * words); }
  std::size_t blocks() const { return (n + per_block() - 1) / per_block(); }
  Part block(std::size_t i) const {
    return {i * per_block(), std::min(per_block(), n - i * per_block())};
  }
};

std::size_t number_bytes(Modulus modulus) {
  return modulus == Modulus::word ? kGilboaBytes : modulus == Modulus::residue ? 512 : 2048;
}

template <class Direction>
Direction numbers_half(Numbers numbers, Modulus modulus) {
  Direction half;
  half.num_blocks = numbers.blocks();
  half.transfers = [=](std::size_t i) { return numbers.block(i).n * 64 * numbers.words; };
  half.bytes = [=](std::size_t i) { return numbers.block(i).n * number_bytes(modulus); };
  return half;
}

// Scratch is memory of one direction of one call.
struct Scratch {
  Pads x, y;
};

// Piece: the numbers of a block whose pads are made together.
struct Piece {
  Part part;             // within the block
  std::size_t transfer;  // the first, within the block
  std::size_t count;     // of transfers
};
template <class Work>
void in_pieces(const Numbers& numbers, const Part& block, const Work& work) {
  const std::size_t step = kPadsAtOnce / (64 * numbers.words);
  for (std::size_t begin = 0; begin < block.n; begin += step) {
    const std::size_t n = std::min(step, block.n - begin);
    work(Piece{{begin, n}, begin * 64 * numbers.words, n * 64 * numbers.words});
  }
}

// wire_at is where the corrections of number `begin` of a block of n numbers lie.
template <class AWire, class AByte>
AWire wire_at(AByte* wire, std::size_t begin, std::size_t n) {
  AWire at;
  at.words = reinterpret_cast<decltype(at.words)>(wire) + begin * kGilboaWords;
  at.halves = reinterpret_cast<decltype(at.halves)>(wire + n * 8 * kGilboaWords) + begin;
  return at;
}

Sending send_numbers(Words out, ConstWords own, Modulus modulus, Block delta, Scratch& scratch) {
  const Numbers numbers{own.size() / size_of(modulus), size_of(modulus)};
  auto half = numbers_half<Sending>(numbers, modulus);
  half.correct = [=, &scratch](std::size_t i, std::span<const Block> q, hash::Tweak first,
                               Bytes wire) {
    const Part block = numbers.block(i);
    in_pieces(numbers, block, [&](const Piece& piece) {
      const auto of_piece = q.subspan(piece.transfer, piece.count);
      const hash::Tweak tweak = later(first, piece.transfer);
      const auto [begin, n] = piece.part;
      std::uint64_t* const share = &out[(block.begin + begin) * numbers.words];
      const std::uint64_t* const w = &own[(block.begin + begin) * numbers.words];
      std::byte* const to = wire.data() + begin * number_bytes(modulus);
      if (modulus == Modulus::wide) {
        scratch.x.hash(of_piece, {}, tweak);
        scratch.y.hash(of_piece, delta, tweak);
        return send_wide(share, w, n, scratch.x.data(), scratch.y.data(), to);
      }
      const std::uint64_t* const x = scratch.x.low_words(of_piece, {}, tweak).data();
      const std::uint64_t* const y = scratch.y.low_words(of_piece, delta, tweak).data();
      if (modulus == Modulus::residue) return send_residues(share, w, n, x, y, to);
      choose().send_words({n, 1}, share, w, x, y, wire_at<Wire>(wire.data(), begin, block.n));
    });
  };
  return half;
}

Receiving ask_numbers(Words out, ConstWords own, Modulus modulus, Scratch& scratch) {
  const Numbers numbers{own.size() / size_of(modulus), size_of(modulus)};
  auto half = numbers_half<Receiving>(numbers, modulus);
  half.choose = [=](std::size_t i, Words choices) {
    std::ranges::copy(own.subspan(numbers.block(i).begin * numbers.words, choices.size()),
                      choices.begin());
  };
  half.take = [=, &scratch](std::size_t i, std::span<const Block> t, hash::Tweak first,
                            ConstBytes wire) {
    const Part block = numbers.block(i);
    in_pieces(numbers, block, [&](const Piece& piece) {
      const auto of_piece = t.subspan(piece.transfer, piece.count);
      const hash::Tweak tweak = later(first, piece.transfer);
      const auto [begin, n] = piece.part;
      std::uint64_t* const share = &out[(block.begin + begin) * numbers.words];
      const std::uint64_t* const c = &own[(block.begin + begin) * numbers.words];
      const std::byte* const from = wire.data() + begin * number_bytes(modulus);
      if (modulus == Modulus::wide) {
        scratch.x.hash(of_piece, {}, tweak);
        return take_wide(share, c, n, scratch.x.data(), from);
      }
      const std::uint64_t* const x = scratch.x.low_words(of_piece, {}, tweak).data();
      if (modulus == Modulus::residue) return take_residues(share, c, n, x, from);
      choose().take_words({n, 1}, share, c, x, wire_at<ConstWire>(wire.data(), begin, block.n));
    });
  };
  return half;
}

// Layout of a product of matrices whose left factor (m x k) is chosen by, bit by bit, and whose
// right factor (k x n) has the strings, by panels of columns.
struct Panels {
  std::size_t m, k, n;

  std::size_t panels() const { return (n + kPanel - 1) / kPanel; }
  std::size_t columns(std::size_t panel) const { return std::min(kPanel, n - panel * kPanel); }
  std::size_t per_block() const {
    return std::clamp<std::size_t>(kPairs / std::min(n, kPanel), 1, kTransfers / 64);
  }
  std::size_t blocks_of_panel() const { return (m * k + per_block() - 1) / per_block(); }

  struct Place {
    Part elements, columns;
  };
  Place block(std::size_t i) const {
    const std::size_t panel = i / blocks_of_panel(), begin = i % blocks_of_panel() * per_block();
    return {{begin, std::min(per_block(), m * k - begin)}, {panel * kPanel, columns(panel)}};
  }
};

template <class Direction>
Direction panels_half(Panels panels) {
  Direction half;
  half.num_blocks = panels.panels() * panels.blocks_of_panel();
  half.transfers = [=](std::size_t i) { return panels.block(i).elements.n * 64; };
  half.bytes = [=](std::size_t i) {
    const auto place = panels.block(i);
    return place.elements.n * place.columns.n * kGilboaBytes;
  };
  return half;
}

// column_wire is the wire of element e in column c of a block.
template <class AWire, class AByte>
AWire column_wire(const Panels::Place& place, std::size_t c, std::size_t e, AByte* wire) {
  const std::size_t n = place.elements.n;
  return wire_at<AWire>(wire, c * n + e, place.columns.n * n);
}

Sending send_panels(Panels panels, Words out, ConstWords right, Block delta, Scratch& scratch) {
  auto half = panels_half<Sending>(panels);
  half.correct = [=, &scratch](std::size_t i, std::span<const Block> q, hash::Tweak first,
                               Bytes wire) {
    const auto place = panels.block(i);
    for (std::size_t c = 0; c < place.columns.n; ++c) {
      if (c % 2 == 0) {
        first.high = c / 2;
        scratch.x.hash(q, {}, first);
        scratch.y.hash(q, delta, first);
      }
      const Words x = scratch.x.word(c % 2), y = scratch.y.word(c % 2);
      for (std::size_t e = 0; e < place.elements.n; ++e) {
        const std::size_t element = place.elements.begin + e, column = place.columns.begin + c;
        choose().send_words({1, 1}, &out[element / panels.k * panels.n + column],
                            &right[element % panels.k * panels.n + column], &x[64 * e], &y[64 * e],
                            column_wire<Wire>(place, c, e, wire.data()));
      }
    }
  };
  return half;
}

Receiving ask_panels(Panels panels, Words out, ConstWords left, Scratch& scratch) {
  auto half = panels_half<Receiving>(panels);
  half.choose = [=](std::size_t i, Words choices) {
    std::ranges::copy(left.subspan(panels.block(i).elements.begin, choices.size()),
                      choices.begin());
  };
  half.take = [=, &scratch](std::size_t i, std::span<const Block> t, hash::Tweak first,
                            ConstBytes wire) {
    const auto place = panels.block(i);
    for (std::size_t c = 0; c < place.columns.n; ++c) {
      first.high = c / 2;
      if (c % 2 == 0) scratch.x.hash(t, {}, first);
      const Words x = scratch.x.word(c % 2);
      for (std::size_t e = 0; e < place.elements.n; ++e) {
        const std::size_t element = place.elements.begin + e, column = place.columns.begin + c;
        choose().take_words({1, 1}, &out[element / panels.k * panels.n + column], &left[element],
                            &x[64 * e], column_wire<ConstWire>(place, c, e, wire.data()));
      }
    }
  };
  return half;
}

}  // namespace

void Products::cross_words(const net::Step& step, Words out, ConstWords own_a, ConstWords own_b,
                           std::size_t n, Modulus modulus) {
  const std::size_t words = n * size_of(modulus);
  check(out.size() == words && own_a.size() == words && own_b.size() == words, Code::usage,
        "cross_words: sizes differ");
  Scratch scratch, other;
  std::ranges::fill(out, 0);
  state_->flow.run(step, send_numbers(out, own_a, modulus, state_->flow.delta(), scratch),
                   ask_numbers(out, own_b, modulus, other));
}

void Products::word_products(const net::Step& step, Words out, ConstWords own, std::size_t n,
                             Modulus modulus) {
  const std::size_t size = size_of(modulus);
  check(out.size() == n * size && own.size() == n * size, Code::usage,
        "word_products: sizes differ");
  Scratch scratch, other;
  std::ranges::fill(out, 0);
  const auto [sent, asked] = parts_of(state_->flow.party(), n, 1);
  const auto part = [&](auto span, Part of) { return span.subspan(of.begin * size, of.n * size); };
  state_->flow.run(
      step, send_numbers(part(out, sent), part(own, sent), modulus, state_->flow.delta(), scratch),
      ask_numbers(part(out, asked), part(own, asked), modulus, other));
}

void Products::cross_matrices(const net::Step& step, Words out, ConstWords own_a, ConstWords own_b,
                              std::size_t m, std::size_t k, std::size_t n) {
  check(own_a.size() == m * k && own_b.size() == k * n && out.size() == m * n, Code::usage,
        "cross_matrices: sizes differ");
  Scratch scratch, other;
  std::ranges::fill(out, 0);
  if (m * k * n == 0) return;
  const auto run = [&](Panels panels, Words to, ConstWords left, ConstWords right) {
    state_->flow.run(step, send_panels(panels, to, right, state_->flow.delta(), scratch),
                     ask_panels(panels, to, left, other));
  };
  if (m <= n) return run({m, k, n}, out, own_a, own_b);
  Buffer<std::uint64_t> a(own_a.size()), b(own_b.size()), product(out.size());
  ring::transpose(a.span(), own_a, m, k);
  ring::transpose(b.span(), own_b, k, n);
  std::ranges::fill(product, 0);
  run({n, k, m}, product.span(), b.span(), a.span());
  ring::transpose(out, product.span(), n, m);
}

}  // namespace petcore::ot
