#include "ot/softspoken.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "base/error.h"
#include "bits/bits.h"
#include "group/expand.h"
#include "ot/row_hash.h"

namespace petcore::ot {
namespace {

constexpr std::size_t kBlockBytes = sizeof(Block);
constexpr std::size_t kProofBytes = 48;  // the hash of the choices, the digest of the others
constexpr std::uint32_t kGreeting = 0x316f7373;  // "sso1"
constexpr std::size_t kTermsBytes = 12;

using Digest = group::Digest;

// Shape of one block: rows of so many blocks of 128 columns, the last of them random if checked.
struct Shape {
  std::size_t columns, trees, row_bytes;
  bool checked;

  Shape(std::size_t n, std::size_t num_trees, bool check)
      : columns((n + 127) / 128), trees(num_trees), row_bytes(0), checked(check) {
    if (checked) ++columns;
    row_bytes = columns * kBlockBytes;
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

void xor_into(std::byte* to, const std::byte* x, std::size_t num_bytes) {
  for (std::size_t i = 0; i < num_bytes; ++i) to[i] ^= x[i];
}

// turn writes the first n columns of 128 rows as blocks.
void turn(std::span<Block> out, const Buffer<std::byte>& rows, const Shape& shape, Pool& pool) {
  const ConstWords words(reinterpret_cast<const std::uint64_t*>(rows.data()), rows.size() / 8);
  const std::size_t row_words = shape.row_bytes / 8;
  Buffer<std::uint64_t> turned(row_words * 64 * 2);
  (void)pool;
  bits::transpose(turned.span(), words, kDeltaBits, row_words * 64);
  std::memcpy(static_cast<void*>(out.data()), turned.data(), out.size_bytes());
}

std::span<const Block> blocks_of(ConstBytes row) {
  return {reinterpret_cast<const Block*>(row.data()), row.size() / kBlockBytes};
}

Digest digest_of(ConstBytes bytes) {
  const std::array<ConstBytes, 1> parts = {bytes};
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

Block Transcript::challenge(ConstBytes sent) {
  const std::array<ConstBytes, 2> parts = {ConstBytes(digest_), sent};
  digest_ = group::sha256(parts);
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

void SoftSpokenReceiver::correct(Bytes rows, ConstBytes choices) const {
  for (std::size_t at = 0; at < rows.size(); at += choices.size())
    xor_into(&rows[at], choices.data(), choices.size());
}

void SoftSpokenReceiver::extend_block(const net::Step& step, ConstWords choices,
                                      std::span<Block> t) {
  const Shape shape(t.size(), trees_.size(), options_.checked);
  Buffer<std::byte> row(shape.row_bytes), rows(kDeltaBits * shape.row_bytes);
  Buffer<std::byte> message(shape.message_bytes());
  std::ranges::fill(row, std::byte{0});
  std::memcpy(row.data(), choices.data(), choices.size_bytes());
  if (shape.checked) prg::random_bytes(row.span().last(kBlockBytes));
  const Bytes corrections = message.span().first(shape.correction_bytes());
  const std::uint64_t first = next_block_;
  next_block_ += shape.columns;
  pool_.parallel_for(trees_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t at = i * options_.k * shape.row_bytes;
      trees_[i].fold(corrections.subspan(i * shape.row_bytes, shape.row_bytes),
                     rows.span().subspan(at, trees_[i].num_bits() * shape.row_bytes),
                     shape.row_bytes, shape.columns, first);
    }
  });
  correct(corrections, row.span());
  if (shape.checked) {
    const RowHash hash(transcript_.challenge(corrections), shape.columns);
    const Bytes proof = message.span().last(kProofBytes);
    const Block of_choices = hash(blocks_of(row.span()));
    std::memcpy(proof.data(), &of_choices, kBlockBytes);
    Buffer<Block> hashes(kDeltaBits);
    for (std::size_t j = 0; j < kDeltaBits; ++j)
      hashes[j] = hash(blocks_of(rows.span().subspan(j * shape.row_bytes, shape.row_bytes)));
    const Digest digest = digest_of(std::as_bytes(hashes.span()));
    std::memcpy(&proof[kBlockBytes], digest.data(), digest.size());
  }
  channel_->send(step, message.span());
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
  Buffer<std::byte> rows(kDeltaBits * shape.row_bytes), message(shape.message_bytes());
  const std::uint64_t first = next_block_;
  next_block_ += shape.columns;
  const Bytes corrections = message.span().first(shape.correction_bytes());
  const auto* const delta = reinterpret_cast<const unsigned char*>(&delta_);
  const auto delta_mask = [&](std::size_t j) {
    return static_cast<std::byte>(0 - (delta[j / 8] >> j % 8 & 1));
  };
  channel_->recv(step, message.span());
  pool_.parallel_for(trees_.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = i * options_.k, bits = trees_[i].num_bits();
      trees_[i].fold({}, rows.span().subspan(row * shape.row_bytes, bits * shape.row_bytes),
                     shape.row_bytes, shape.columns, first);
      for (std::size_t j = row; j < row + bits; ++j) {
        const std::byte mask = delta_mask(j);
        std::byte* const to = &rows[j * shape.row_bytes];
        const std::byte* const x = &corrections[i * shape.row_bytes];
        for (std::size_t b = 0; b < shape.row_bytes; ++b) to[b] ^= x[b] & mask;
      }
    }
  });
  if (shape.checked) {
    const RowHash hash(transcript_.challenge(corrections), shape.columns);
    const ConstBytes proof = message.span().last(kProofBytes);
    Block of_choices;
    std::memcpy(&of_choices, proof.data(), kBlockBytes);
    Buffer<Block> hashes(kDeltaBits);
    for (std::size_t j = 0; j < kDeltaBits; ++j) {
      const std::uint64_t mask = 0 - static_cast<std::uint64_t>(delta_mask(j) & std::byte{1});
      hashes[j] = hash(blocks_of(rows.span().subspan(j * shape.row_bytes, shape.row_bytes))) ^
                  Block { of_choices.low &mask, of_choices.high &mask };
    }
    const Digest digest = digest_of(std::as_bytes(hashes.span()));
    if (CRYPTO_memcmp(digest.data(), &proof[kBlockBytes], digest.size()) != 0)
      blame(*channel_, step, " extended oblivious transfers inconsistently: it tried to cheat");
  }
  turn(q, rows, shape, pool_);
}

}  // namespace petcore::ot
