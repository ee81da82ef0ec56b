// OtSource: correlations that the two parties make themselves, by oblivious transfer, over a link
// that nothing else uses. A chunk is made when the protocol takes it; for small requests some units
// are made ahead (ot_stock.h).
//
//   Paper: Gilboa, "Two party RSA key generation" (CRYPTO 1999, section 4), in the correlated form
//          of Asharov et al. (CCS 2013, section 5.1); what each kind adds to it stands with it.
//   Assumption: that of the extension in ot/: correlation-robust hashing, and base OTs.
//   Rounds: two flights on the offline link for each chunk, a few more for the kinds made of bits;
//           an empty message each way on the first link where a plan begins with making, so that
//           parties at different operations hear of it and do not wait on different links.
//   Adversary: semi-honest; of a malicious party, what ot/products.h says.
//   Leaks: nothing beyond kinds and sizes, which both parties know.
#pragma once

#include <deque>
#include <memory>

#include "correlation/ot_making.h"
#include "correlation/ot_stock.h"
#include "correlation/price.h"
#include "correlation/source.h"
#include "correlation/streams.h"
#include "net/channel.h"

namespace petcore::correlation {

class OtSource : public Source {
 public:
  OtSource(std::shared_ptr<net::Channel> online, std::shared_ptr<net::Channel> offline, int party,
           const ot::Options& options, Pool& pool);
  ~OtSource() override { wipe(seed_.data(), seed_.size()); }

  void plan(const net::Step& step, std::span<Request> requests) override;
  void masks(std::initializer_list<Take> streams) override;
  void products(std::initializer_list<Words> streams) override;
  void finish() override;
  const Usage& usage() const override { return usage_; }

 private:
  struct Batch {
    Request request;
    Streams streams;
    bool stocked, made_first;                           // before the masks are taken
    std::uint64_t masks_taken = 0, products_taken = 0;  // chunks
    std::deque<Chunk> made;
  };
  Batch& current(bool want_masks);
  bool begins_with_making() const;
  Chunk make(const Request& request, const Streams& streams, std::uint64_t index);
  Chunk make_or_take(const Batch& batch, std::uint64_t index);

  std::shared_ptr<net::Channel> online_;
  ot::Products ot_;
  int party_;
  std::uint64_t block_bytes_;
  Pool& pool_;
  prg::Seed seed_;  // of this party's own words
  std::uint64_t counter_ = 0;
  net::Step step_;
  std::deque<Batch> batches_;
  OtStock stock_;
  Usage usage_;
};

}  // namespace petcore::correlation
