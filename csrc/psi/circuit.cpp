#include "psi/circuit.h"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "base/error.h"
#include "hash/mmo.h"
#include "psi/cuckoo.h"

namespace petcore::psi {
namespace {

constexpr std::uint64_t kMark = 0x63697263;
enum Purpose : std::uint64_t { kBins, kRows, kOprf, kTables };

prg::Seed seed_for(const Link& link, Purpose purpose, std::uint64_t number = 0) {
  return prg::derive(link.seed, {kMark, purpose, number, 0, 0, 0});
}

// key_of is the key of an id in a bin: digests are pseudorandom, so keys are and do not repeat.
Block key_of(Block digest, std::size_t bin) { return digest ^ Block{bin, 0}; }

std::size_t num_tables(std::size_t num_columns) { return 1 + num_columns / 2; }

void check_sizes(std::size_t num_receiver, std::size_t num_sender, std::size_t num_columns) {
  check(num_receiver > 0 && num_sender > 0 && std::max(num_receiver, num_sender) <= kCircuitIdsMax,
        Code::usage, "sets in circuit form have 1 to 2^24 ids");
  check(num_columns <= kColumnsMax, Code::usage, "an intersection carries at most 64 columns");
}

Buffer<std::uint64_t> random_words(std::size_t n) {
  Buffer<std::uint64_t> out(n);
  prg::Prg(prg::random_seed()).fill_words(out.span());
  return out;
}

// pads are what the values of table i are hidden under, made of the OPRF's values.
Buffer<Block> pads(const Link& link, std::span<const Block> values, std::size_t table) {
  Buffer<Block> out(values.size());
  hash::Mmo(seed_for(link, kTables, table))(out.span(), values);
  return out;
}

// by_key undoes the order of rows.
Buffer<Block> by_key(const Evaluated& evaluated) {
  Buffer<Block> out(evaluated.values.size());
  for (std::size_t row = 0; row < out.size(); ++row)
    out[evaluated.order[row]] = evaluated.values[row];
  return out;
}

// The words of a bin, as all tables carry them: its tag, then its columns.
std::uint64_t& word_of(CircuitShares& shares, std::size_t bin, std::size_t place) {
  return place == 0 ? shares.tags[bin] : shares.columns[(place - 1) * shares.tags.size() + bin];
}

CircuitShares empty_shares(std::size_t bins, std::size_t num_columns) {
  return {Buffer<std::uint64_t>(bins), Buffer<std::uint64_t>(bins * num_columns), {}};
}

// Placed: every key of the sender in each of its bins.
struct Placed {
  Buffer<Block> keys;
  Buffer<std::uint64_t> bins;
};

Placed place(std::span<const Block> digests, const prg::Seed& seed, std::size_t bins) {
  Placed out{Buffer<Block>(kChoices * digests.size()),
             Buffer<std::uint64_t>(kChoices * digests.size())};
  const Buffer<Choices> choices = choose_bins(digests, seed, bins);
  for (std::size_t i = 0; i < digests.size(); ++i)
    for (std::size_t j = 0; j < kChoices; ++j) {
      out.bins[kChoices * i + j] = choices[i][j];
      out.keys[kChoices * i + j] = key_of(digests[i], choices[i][j]);
    }
  return out;
}

}  // namespace

std::size_t circuit_bins(std::size_t num_receiver) {
  return num_receiver + num_receiver * 27 / 100 + 256;
}

unsigned circuit_tag_bits(std::size_t num_receiver) {
  return 40 + static_cast<unsigned>(std::bit_width(circuit_bins(num_receiver) - 1));
}

CircuitShares circuit_receive(const Link& link, ot::VoleReceiver& vole, std::span<const Block> keys,
                              std::size_t num_sender, std::size_t num_columns) {
  check_sizes(keys.size(), num_sender, num_columns);
  const std::size_t bins = circuit_bins(keys.size());
  CircuitShares shares = empty_shares(bins, num_columns);
  shares.ids_of_bins = cuckoo_table(keys, seed_for(link, kBins), bins);
  Buffer<Block> asked(bins);
  prg::random_bytes(std::as_writable_bytes(asked.span()));  // empty bins ask for what nobody has
  for (std::size_t bin = 0; bin < bins; ++bin)
    if (shares.ids_of_bins[bin] != kNoId) asked[bin] = key_of(keys[shares.ids_of_bins[bin]], bin);

  const prg::Seed oprf_seed = seed_for(link, kOprf);
  const Link inner{link.channel, link.step, oprf_seed, link.pool};
  const Buffer<Block> evaluated = by_key(oprf_receive(inner, vole, asked.span()));

  const OkvsShape shape = okvs_shape(kChoices * num_sender);
  std::array<std::byte, 1> attempt;
  link.channel.recv(link.step, attempt);
  check(static_cast<unsigned>(attempt[0]) < kAttemptsMax, Code::frame,
        "a peer names an encoding that cannot be");
  const Rows rows(shape, seed_for(link, kRows), static_cast<unsigned>(attempt[0]), asked.span(),
                  link.pool);
  Buffer<Block> table(shape.size()), decoded(bins);
  for (std::size_t t = 0; t < num_tables(num_columns); ++t) {
    link.channel.recv(link.step, std::as_writable_bytes(table.span()));
    rows.decode(decoded.span(), table.span(), link.pool);
    const Buffer<Block> hidden = pads(link, evaluated.span(), t);
    for (std::size_t row = 0; row < bins; ++row) {
      const std::size_t bin = rows.order()[row];
      const Block words = decoded[row] ^ hidden[bin];
      word_of(shares, bin, 2 * t) = words.low;
      if (2 * t + 1 <= num_columns) word_of(shares, bin, 2 * t + 1) = words.high;
    }
  }
  return shares;
}

CircuitShares circuit_send(const Link& link, ot::VoleSender& vole, std::size_t num_receiver,
                           std::span<const Block> keys, std::span<const ConstWords> columns) {
  check_sizes(num_receiver, keys.size(), columns.size());
  for (const ConstWords column : columns)
    check(column.size() == keys.size(), Code::usage, "a column has one word for each id");
  const std::size_t bins = circuit_bins(num_receiver);
  // The shares of this party are chosen first; what is stored makes the other's fit them.
  CircuitShares shares{random_words(bins), random_words(bins * columns.size()), {}};
  const Placed placed = place(keys, seed_for(link, kBins), bins);
  const prg::Seed oprf_seed = seed_for(link, kOprf);
  const Link inner{link.channel, link.step, oprf_seed, link.pool};
  const Buffer<Block> evaluated = by_key(oprf_send(inner, vole, bins, placed.keys.span()));

  const auto wanted = [&](std::size_t i, std::size_t word) -> std::uint64_t {
    if (word > columns.size()) return 0;  // hidden by its pad, and read by nobody
    const std::uint64_t own = word_of(shares, placed.bins[i], word);
    return (word == 0 ? 0 : columns[word - 1][i / kChoices]) - own;
  };
  const OkvsShape shape = okvs_shape(placed.keys.size());
  Buffer<Block> table(shape.size());
  std::optional<Encoding> encoding;
  for (std::size_t t = 0; t < num_tables(columns.size()); ++t) {
    const Buffer<Block> hidden = pads(link, evaluated.span(), t);
    const auto values = [&](std::span<Block> out, const Rows& rows) {
      for (std::size_t row = 0; row < out.size(); ++row) {
        const std::size_t i = rows.order()[row];
        out[row] = hidden[i] ^ Block { wanted(i, 2 * t), wanted(i, 2 * t + 1) };
      }
    };
    if (!encoding) {
      encoding.emplace(okvs_encode(table.span(), shape, seed_for(link, kRows), placed.keys.span(),
                                   values, link.pool, prg::random_seed()));
      const std::array<std::byte, 1> attempt = {static_cast<std::byte>(encoding->attempt)};
      link.channel.send(link.step, attempt);
    } else {
      Buffer<Block> out(placed.keys.size());
      values(out.span(), encoding->rows);
      check(encoding->rows.encode(table.span(), out.span(), link.pool, prg::random_seed()),
            Code::internal, "rows that could be encoded once cannot be again");
    }
    link.channel.send(link.step, std::as_bytes(table.span()));
  }
  return shares;
}

}  // namespace petcore::psi
