#include "ot/softspoken.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "bits/bits.h"
#include "group/expand.h"
#include "group/sha256_pair.h"
#include "ot/ot_kernels.h"
#include "ot/row_hash.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kBlockBytes = sizeof(Block);
constexpr std::size_t kProofBytes = 48;  // the hash of the choices, the digest of the others
constexpr std::uint32_t kGreeting = 0x316f7373;  // "sso1"
constexpr std::size_t kTermsBytes = 12;

std::uint64_t delta_bit(Block delta, std::size_t j) {
  return (j < 64 ? delta.low >> j : delta.high >> (j - 64)) & 1;
}

// Shape of one block: rows of so many blocks of 128 columns, the last of them random if checked.
struct Shape {
  std::size_t columns, trees, row_bytes;
  // Of rows in memory, in blocks: odd, so that the words of a column do not share cache sets.
  std::size_t stride;
  bool checked;

  Shape(std::size_t n, std::size_t num_trees, bool check)
      : columns((n + 127) / 128), trees(num_trees), row_bytes(0), stride(0), checked(check) {
    if (checked) ++columns;
    row_bytes = columns * kBlockBytes;
    stride = columns | 1;
  }
  std::size_t correction_bytes() const { return trees * row_bytes; }
  std::size_t message_bytes() const { return correction_bytes() + (checked ? kProofBytes : 0); }
};

// Terms begin both messages of the base OTs.
std::array<std::byte, kTermsBytes> terms_of(const Options& options) {
  std::array<std::byte, kTermsBytes> terms;
  store_le(terms.data(), kGreeting);
  store_le(terms.data() + 4, static_cast<std::uint32_t>(options.k));
  store_le(terms.data() + 8, static_cast<std::uint32_t>(options.checked));
  return terms;
}

void check_terms(const net::Channel& channel, const net::Step& step, ConstBytes theirs,
                 const Options& options) {
  const auto own = terms_of(options);
  if (!std::ranges::equal(theirs, own))
    throw Error(Code::handshake,
                channel.peer().name +
                    " extends oblivious transfers in another way; both parties need the same k "
                    "and the same check",
                channel.peer().name, channel.peer().address, step.what);
}

[[noreturn]] void blame(const net::Channel& channel, const net::Step& step, const char* what) {
  throw Error(Code::correlation, channel.peer().name + std::string(what), channel.peer().name,
              channel.peer().address, step.what);
}

// room_in gives the first n items of a buffer, which grows where it must.
template <class T>
std::span<T> room_in(Buffer<T>& buffer, std::size_t n) {
  if (buffer.size() < n) buffer = Buffer<T>(n);
  return buffer.span().first(n);
}

std::uint64_t* words_of(std::span<Block> blocks) { return &blocks[0].low; }
const std::uint64_t* words_of(std::span<const Block> blocks) { return &blocks[0].low; }

std::span<Block> blocks_in(Bytes bytes) {
  return {reinterpret_cast<Block*>(bytes.data()), bytes.size() / kBlockBytes};
}

// turn writes the first columns of 128 rows as blocks.
void turn(std::span<Block> out, std::span<const Block> rows, const Shape& shape, Pool& pool) {
  constexpr std::size_t kGrain = 1024;
  pool.parallel_for((out.size() + 127) / 128, kGrain / 128, [&](std::size_t from, std::size_t to) {
    const std::size_t end = std::min(128 * to, out.size());
    choose().turn(&out[128 * from], words_of(rows) + 2 * from, 2 * shape.stride, end - 128 * from);
  });
}

// hash_rows gives the digest of the hashes of all rows; of_choices is added to the rows of delta.
group::Digest hash_rows(const RowHash& hash, std::span<const Block> rows, Block of_choices,
                        Block delta, const Shape& shape, Pool& pool) {
  Buffer<Block> hashes(kDeltaBits);
  pool.parallel_for(kDeltaBits, 8, [&](std::size_t begin, std::size_t end) {
    for (std::size_t j = begin; j < end; ++j)
      hashes[j] = hash(rows.subspan(j * shape.stride, shape.columns)) ^
                  (of_choices & mask_of(delta_bit(delta, j)));
  });
  const std::array<ConstBytes, 1> parts = {std::as_bytes(hashes.span())};
  return group::sha256(parts);
}

}  // namespace

std::uint64_t softspoken_bytes(std::size_t n, const Options& options) {
  const std::size_t trees = tree_bits(options.k).size();
  const auto bytes = [&](std::size_t size) {
    return size == 0 ? 0 : Shape(size, trees, options.checked).message_bytes();
  };
  return n / kSoftSpokenBlock * bytes(kSoftSpokenBlock) + bytes(n % kSoftSpokenBlock);
}

void Transcript::add(ConstBytes sent) {
  const std::size_t half = sent.size() / 2;
  const auto halves = group::sha256_pair(sent.first(half), sent.subspan(half, half));
  const std::array<ConstBytes, 4> parts = {digest_, halves[0], halves[1], sent.subspan(2 * half)};
  digest_ = group::sha256(parts);
}

Block Transcript::challenge(ConstBytes sent) {
  add(sent);
  Block out;
  std::memcpy(&out, digest_.data(), sizeof(out));
  return out;
}

SoftSpokenReceiver::SoftSpokenReceiver(std::shared_ptr<net::Channel> channel, Pool& pool,
                                       const Options& options)
    : channel_(std::move(channel)), pool_(pool), options_(options) {
  (void)tree_bits(options.k);
}

void SoftSpokenReceiver::prepare(const net::Step& step) {
  const auto own = terms_of(options_);
  std::vector<std::byte> offer(kTermsBytes + BaseReceiver::offer_bytes(kDeltaBits));
  channel_->recv(step, offer);
  check_terms(*channel_, step, ConstBytes(offer).first(kTermsBytes), options_);
  Trees trees =
      make_trees(options_.k, ConstBytes(offer).subspan(kTermsBytes), channel_->binding(), pool_);
  channel_->send(step, own);
  channel_->send(step, trees.message);
  transcript_.add(trees.message);
  trees_ = std::move(trees.bundles);
}

void SoftSpokenReceiver::extend(const net::Step& step, ConstWords choices, std::span<Block> t) {
  check(choices.size() == bits::num_words(t.size()), Code::usage,
        "the choices do not fit the transfers");
  if (trees_.empty()) prepare(step);
  for (std::size_t done = 0; done < t.size(); done += kSoftSpokenBlock) {
    const std::size_t n = std::min(t.size() - done, kSoftSpokenBlock);
    extend_block(step, choices.subspan(done / 64, bits::num_words(n)), t.subspan(done, n));
  }
}

void SoftSpokenReceiver::correct(std::span<Block> rows, std::span<const Block> choices) const {
  for (std::size_t at = 0; at < rows.size(); at += choices.size())
    choose().add_masked(words_of(rows.subspan(at)), words_of(choices), ~std::uint64_t{0},
                        2 * choices.size());
}

void SoftSpokenReceiver::extend_block(const net::Step& step, ConstWords choices,
                                      std::span<Block> t) {
  const Shape shape(t.size(), trees_.size(), options_.checked);
  const std::span<Block> row = room_in(work_.choices, shape.columns);
  const std::span<Block> rows = room_in(work_.rows, kDeltaBits * shape.stride);
  const Bytes message = room_in(work_.message, shape.message_bytes());
  const Bytes corrections = message.first(shape.correction_bytes());
  std::ranges::fill(row, Block{});
  std::ranges::copy(choices, words_of(row));
  if (shape.checked) prg::random_bytes(std::as_writable_bytes(row.last(1)));
  const std::uint64_t first = next_block_;
  next_block_ += shape.columns;
  pool_.parallel_for(trees_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      trees_[i].fold(corrections.subspan(i * shape.row_bytes, shape.row_bytes),
                     std::as_writable_bytes(rows.subspan(i * options_.k * shape.stride,
                                                         trees_[i].num_bits() * shape.stride)),
                     shape.stride * kBlockBytes, shape.columns, first);
  });
  correct(blocks_in(corrections), row);
  if (shape.checked) {
    const RowHash hash(transcript_.challenge(corrections), shape.columns);
    const Bytes proof = message.last(kProofBytes);
    const Block of_choices = hash(row);
    const group::Digest digest = hash_rows(hash, rows, {}, {}, shape, pool_);
    std::memcpy(proof.data(), &of_choices, kBlockBytes);
    std::memcpy(&proof[kBlockBytes], digest.data(), digest.size());
  }
  channel_->send(step, message);
  turn(t, rows, shape, pool_);
}

SoftSpokenSender::SoftSpokenSender(std::shared_ptr<net::Channel> channel, Pool& pool,
                                   const Options& options)
    : channel_(std::move(channel)), pool_(pool), options_(options) {
  (void)tree_bits(options.k);
  prg::random_bytes(std::as_writable_bytes(std::span(&delta_, 1)));
}

SoftSpokenSender::~SoftSpokenSender() { wipe(&delta_, sizeof(delta_)); }

void SoftSpokenSender::prepare(const net::Step& step) {
  if (base_ || !trees_.empty()) return;
  const auto terms = terms_of(options_);
  base_.reset(new BaseReceiver(choose_offer(delta_, channel_->binding(), pool_)));
  channel_->send(step, terms);
  channel_->send(step, base_->offer());
}

void SoftSpokenSender::open(const net::Step& step) {
  std::array<std::byte, kTermsBytes> terms;
  channel_->recv(step, terms);
  check_terms(*channel_, step, terms, options_);
  std::vector<std::byte> message(tree_message_bytes(options_.k));
  channel_->recv(step, message);
  try {
    trees_ = open_trees(options_.k, delta_, *base_, message);
  } catch (const Error& error) {
    if (error.code() != Code::correlation) throw;
    blame(*channel_, step, " sent seeds that form no trees: it does not follow the protocol");
  }
  transcript_.add(message);
  base_.reset();
}

void SoftSpokenSender::extend(const net::Step& step, std::span<Block> q) {
  prepare(step);
  if (trees_.empty()) open(step);
  for (std::size_t done = 0; done < q.size(); done += kSoftSpokenBlock)
    extend_block(step, q.subspan(done, std::min(q.size() - done, kSoftSpokenBlock)));
}

void SoftSpokenSender::extend_block(const net::Step& step, std::span<Block> q) {
  const Shape shape(q.size(), trees_.size(), options_.checked);
  const std::span<Block> rows = room_in(work_.rows, kDeltaBits * shape.stride);
  const Bytes message = room_in(work_.message, shape.message_bytes());
  const Bytes corrections = message.first(shape.correction_bytes());
  const std::uint64_t first = next_block_;
  next_block_ += shape.columns;
  channel_->recv(step, message);
  pool_.parallel_for(trees_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = i * options_.k, bits = trees_[i].num_bits();
      const std::span<Block> of_tree = rows.subspan(row * shape.stride, bits * shape.stride);
      trees_[i].fold({}, std::as_writable_bytes(of_tree), shape.stride * kBlockBytes, shape.columns,
                     first);
      const Bytes correction = corrections.subspan(i * shape.row_bytes, shape.row_bytes);
      for (std::size_t j = 0; j < bits; ++j)
        choose().add_masked(words_of(of_tree.subspan(j * shape.stride)),
                            words_of(blocks_in(correction)), 0 - delta_bit(delta_, row + j),
                            2 * shape.columns);
    }
  });
  if (shape.checked) {
    const RowHash hash(transcript_.challenge(corrections), shape.columns);
    const ConstBytes proof = message.last(kProofBytes);
    Block of_choices;
    std::memcpy(&of_choices, proof.data(), kBlockBytes);
    const group::Digest digest = hash_rows(hash, rows, of_choices, delta_, shape, pool_);
    if (CRYPTO_memcmp(digest.data(), &proof[kBlockBytes], digest.size()) != 0)
      blame(*channel_, step, " extended oblivious transfers inconsistently: it tried to cheat");
  }
  turn(q, rows, shape, pool_);
}

}  // namespace petcore::ot
