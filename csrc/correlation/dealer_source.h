// DealerSource: correlations from a dealer, a process that holds no input and meets no output.
//
// Both parties expand their masks from a seed shared with the dealer. Party 0 expands the products
// too; party 1 asks the dealer, who knows both seeds, for the words that make the sum right. What
// is dealt to both each of them asks for.
//   Paper: Beaver, "Commodity-based cryptography" (STOC 1997); seed compression as in Boyle et al.,
//          "Efficient two-round OT extension and silent non-interactive secure computation" (2019).
//   Bytes: to party 1 only, as in request.h; 84 bytes per request from who asks.
//   Adversary: semi-honest; the dealer colludes with nobody.
//   Leaks: to the dealer the kinds and sizes of the operations, nothing else.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "correlation/source.h"
#include "correlation/streams.h"
#include "net/channel.h"

namespace petcore::correlation {

class DealerSource : public Source {
 public:
  // adjusted: whether this is the party that receives products (party 1).
  DealerSource(std::shared_ptr<net::Channel> dealer, const prg::Seed& seed, bool adjusted,
               Pool& pool);

  ~DealerSource() override { wipe(seed_.data(), seed_.size()); }

  void plan(const net::Step& step, std::span<Request> requests) override;
  void masks(std::initializer_list<Take> streams) override;
  void products(std::initializer_list<Words> streams) override;
  void finish() override;
  const Usage& usage() const override { return usage_; }
  Kept kept(const Request& request) const override;

 private:
  struct Batch {
    Request request;
    Streams streams;
    std::uint64_t masks_taken = 0, products_taken = 0;  // chunks
  };
  Batch& current(bool want_masks);
  bool asks_for(const Request& request) const;

  std::shared_ptr<net::Channel> dealer_;
  prg::Seed seed_;
  bool adjusted_;
  Pool& pool_;
  std::uint64_t counter_ = 0;
  net::Step step_;
  std::deque<Batch> batches_;
  Usage usage_;
};

}  // namespace petcore::correlation
