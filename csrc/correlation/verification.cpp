#include "correlation/verification.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "correlation/adjuster.h"
#include "correlation/products.h"
#include "correlation/streams.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

constexpr std::uint64_t kCoin = 0x76657269;  // apart from everything else of the common seed
using Digest = std::array<std::byte, 32>;

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new()) {
    ok(context_ != nullptr && EVP_DigestInit_ex(context_, EVP_sha256(), nullptr) == 1);
  }
  ~Sha256() { EVP_MD_CTX_free(context_); }
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(ConstWords words) {
    ok(EVP_DigestUpdate(context_, words.data(), words.size_bytes()) == 1);
  }
  Digest end() {
    Digest out;
    ok(EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(out.data()), nullptr) == 1);
    return out;
  }

 private:
  static void ok(bool done) { petcore::check(done, Code::internal, "SHA-256 failed"); }
  EVP_MD_CTX* context_;
};

bool equal(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// left_over = C - A B, or A B - C, of one party: its share of a masked product and of the mask,
// both its own, and B in clear.
Digest left_over(const Request& request, const prg::Seed& own, Words product,
                 const Buffer<std::uint64_t>& b, bool negated, Pool& pool) {
  const auto& d = request.dims;
  const Request mask{
      .kind = Kind::mask, .units = d[1] * d[2], .dims = {d[1], d[2]}, .counter = d[0]};
  Buffer<std::uint64_t> a((d[4] - d[3]) * d[2]), ab(product.size());
  mask_words(own, mask, d[3] * d[2], a.span(), pool);
  const auto [m, k, n] = matrix_shape(request);
  const auto multiply = d[5] != 0 ? ring::matmul_transposed : ring::matmul;
  multiply(ab.span(), a.span(), b.span(), m, k, n, false, pool);
  if (negated)
    ring::sub(product, ab.span(), product);
  else
    ring::sub(product, product, ab.span());
  Sha256 hash;
  hash.add(product);
  return hash.end();
}

bool keeps_mask(const Request& request) { return request.kind == Kind::masked_matrix; }

}  // namespace

// Opening: one request that is being opened, and what party 1 received for it.
struct Verification::Opening {
  explicit Opening(const Request& asked) : request(asked) {}
  const Request request;
  Digest received{};
  Buffer<std::uint64_t> product;  // of a masked matrix
};

Verification::Verification(double share, std::shared_ptr<net::Channel> peer,
                           const prg::Seed& common_seed, const prg::Seed& own, bool adjusted,
                           Pool& pool)
    : threshold_(static_cast<std::uint64_t>(std::ldexp(share, 63))),
      peer_(std::move(peer)),
      coin_(prg::derive(common_seed, {kCoin, 0, 0, 0, 0, 0})),
      own_(own),
      adjusted_(adjusted),
      pool_(pool) {
  petcore::check(share > 0 && share < 1, Code::usage,
                 "the share to verify must be between 0 and 1");
}

Verification::~Verification() {
  wipe(coin_.data(), coin_.size());
  wipe(own_.data(), own_.size());
}

bool Verification::chosen(std::uint64_t counter) const {
  const prg::Seed drawn = prg::derive(coin_, {counter, 0, 0, 0, 0, 0});
  return (load_le<std::uint64_t>(drawn.data()) >> 1) < threshold_;
}

void Verification::check(const net::Step& step, std::span<const Request> requests,
                         const TakeWords& take, const net::Peer& dealer) {
  std::vector<Opening> openings;
  for (const Request& request : requests)
    if (request.kind != Kind::mask) openings.emplace_back(request);
  take_in(step, take, openings);
  if (!adjusted_) return answer(step, openings);
  compare(step, openings, dealer);
}

bool Verification::takes(const Request& request) const {
  return adjusted_ || dealt_to_both(request);
}

// One byte for every chunk tells the other party that this one is not stuck, and at last that all
// has come: only then are seeds sent.
void Verification::take_in(const net::Step& step, const TakeWords& take,
                           std::vector<Opening>& openings) {
  constexpr std::array<std::byte, 1> kCame{};
  for (Opening& opening : openings) {
    const Request& request = opening.request;
    if (!takes(request)) continue;
    Sha256 hash;
    Buffer<std::uint64_t> words;
    for (std::uint64_t chunk = 0; chunk < request.num_chunks(); ++chunk) {
      const Layout sizes = layout(request, request.units_in_chunk(chunk));
      for (std::size_t i = 0; i < sizes.num_products; ++i) {
        if (words.size() != sizes.products[i]) words = Buffer<std::uint64_t>(sizes.products[i]);
        take(words.span());
        hash.add(words.span());
      }
      if (adjusted_) peer_->send(step, kCame);
    }
    if (keeps_mask(request)) opening.product = std::move(words);
    opening.received = hash.end();
  }
}

// Party 0: waits until the dealer's words have come, then opens its streams.
void Verification::answer(const net::Step& step, std::vector<Opening>& openings) {
  std::array<std::byte, 1> came;
  for (const Opening& opening : openings)
    for (std::uint64_t chunk = 0; chunk < opening.request.num_chunks(); ++chunk)
      peer_->recv(step, came);
  for (const Opening& opening : openings) {
    const Request& request = opening.request;
    std::vector<prg::Seed> seeds = stream_seeds(own_, request);
    if (!keeps_mask(request)) {
      peer_->send(step, std::as_bytes(std::span(seeds)));
      if (dealt_to_both(request)) peer_->send(step, opening.received);
      continue;
    }
    std::vector<prg::Seed> theirs = {seeds.front()};  // as many as there are, of which B's counts
    theirs.resize(seeds.size());
    peer_->exchange(step, seeds.front(), theirs.front());
    const Streams streams[2] = {{request, seeds}, {request, theirs}};
    const Layout sizes = layout(request, 1);
    Buffer<std::uint64_t> b(sizes.masks[0]), product(sizes.products[0]);
    streams[0].mask(0, 0, b.span(), pool_);
    streams[1].mask(0, 0, plus(b.span(), b.span()), pool_);
    streams[0].product(0, 0, product.span(), pool_);
    peer_->send(step, left_over(request, own_, product.span(), b, false, pool_));
  }
}

void Verification::compare(const net::Step& step, std::vector<Opening>& openings,
                           const net::Peer& dealer) {
  Adjuster adjuster(pool_);
  for (Opening& opening : openings) {
    const Request& request = opening.request;
    const std::vector<prg::Seed> mine = stream_seeds(own_, request);
    std::vector<prg::Seed> theirs(mine.size());
    Digest expected, others = opening.received;
    if (keeps_mask(request)) {
      peer_->exchange(step, mine.front(), theirs.front());
      const Streams streams[2] = {{request, theirs}, {request, mine}};
      Buffer<std::uint64_t> b(layout(request, 1).masks[0]);
      streams[0].mask(0, 0, b.span(), pool_);
      streams[1].mask(0, 0, plus(b.span(), b.span()), pool_);
      peer_->recv(step, expected);
      opening.received = left_over(request, own_, opening.product.span(), b, true, pool_);
    } else {
      peer_->recv(step, std::as_writable_bytes(std::span(theirs)));
      if (dealt_to_both(request)) peer_->recv(step, others);
      const Streams streams[2] = {{request, theirs}, {request, mine}};
      const prg::Seed none[2] = {};  // of masked matrices only
      Sha256 hash;
      for (std::uint64_t chunk = 0; chunk < request.num_chunks(); ++chunk)
        for (const ConstWords words : adjuster.make(request, chunk, streams, none)) hash.add(words);
      expected = hash.end();
    }
    const bool other_right = !dealt_to_both(request) || equal(others, expected);
    if (!equal(opening.received, expected) || !other_right)
      throw Error(Code::cheated,
                  dealer.name + " at " + dealer.address + " dealt wrong words for " +
                      kind_name(request.kind) + " (request " + std::to_string(request.counter) +
                      "): it cheats, or its machine fails. Trust no result of this session; "
                      "choose another dealer",
                  dealer.name, dealer.address, step.what);
  }
}

}  // namespace petcore::correlation
