// DealerSource: correlations from a dealer, a process that holds no input and meets no output.
//
// Both parties expand their masks from a seed shared with the dealer. Party 0 expands the products
// too; party 1 asks the dealer, who knows both seeds, for the words that make the sum right. What
// is dealt to both each of them asks for.
//   Paper: Beaver, "Commodity-based cryptography" (STOC 1997); seed compression as in Boyle et al.,
//          "Efficient two-round OT extension and silent non-interactive secure computation" (2019).
//   Bytes: to party 1 only, as in request.h; 84 bytes per request from who asks.
//   Loss of the dealer: products are a function of seeds and request alone; where the link can be
//          mended, a party asks again for what it has not received, with the same counters.
//   Ahead of demand: where that is on, party 1 asks for the plans that the forecast expects before
//          they are made, and both parties number them alike, since both forecast alike. A plan
//          that was not expected finds what was asked in vain thrown away; no counter comes twice.
//   Adversary: semi-honest; the dealer colludes with nobody. Against a malicious dealer see
//          verification.h.
//   Leaks: to the dealer the kinds and sizes of the operations, nothing else.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "correlation/dealer_link.h"
#include "correlation/forecast.h"
#include "correlation/source.h"
#include "correlation/streams.h"
#include "correlation/verification.h"

namespace petcore::correlation {

class DealerSource : public Source {
 public:
  // adjusted: whether this is the party that receives products (party 1).
  DealerSource(DealerLink& dealer, const prg::Seed& seed, bool adjusted, Pool& pool,
               std::function<void()> wait = {});

  ~DealerSource() override { wipe(seed_.data(), seed_.size()); }

  // verify has what the dealer deals checked from now on.
  void verify(std::unique_ptr<Verification> verification);

  void plan(const net::Step& step, std::span<Request> requests) override;
  void masks(std::initializer_list<Take> streams) override;
  void products(std::initializer_list<Words> streams) override;
  void ahead(std::uint64_t bytes) override;
  void finish() override;
  const Usage& usage() const override { return usage_; }
  Kept kept(const Request& request) const override;

 private:
  struct Batch {
    Request request;
    Streams streams;
    std::uint64_t masks_taken = 0, products_taken = 0;  // chunks
  };
  // Asked: a request whose products are on their way, in the order in which they arrive.
  struct Asked {
    net::Step step;
    Request request;
    std::uint64_t words = 0, received = 0;
  };
  Batch& current(bool want_masks);
  bool asks_for(const Request& request) const;

  bool take_foreseen(std::span<Request> requests);
  void ask_ahead();
  void check_dealt(std::span<const Request> requests);

  void ask(std::span<const Request> requests);
  // receive takes the next words of a request, after those of all that were asked before it.
  void receive(const Request& request, Words out);
  void receive_next(Words out);
  void ask_again();
  // linked runs work on the dealer's channel, and again on the next one where that is lost.
  template <class Work>
  void linked(const Work& work);

  DealerLink& dealer_;
  const std::function<void()> wait_;  // called while the link is mended; what it throws ends that
  DealerLink::Channel channel_;       // to which everything in asked_ was sent
  std::deque<Asked> asked_;
  std::uint64_t received_ = 0;  // the counter of the last request that was received entirely
  prg::Seed seed_;
  bool adjusted_;
  Pool& pool_;
  std::uint64_t counter_ = 0;
  net::Step step_;
  std::deque<Batch> batches_;
  std::unique_ptr<Verification> verification_;

  std::uint64_t ahead_max_ = 0, ahead_ = 0;  // bytes allowed, and bytes of foreseen_
  std::size_t depth_ = 0;                    // plans asked ahead; doubles while guesses are right
  std::deque<Plan> foreseen_;
  Forecast forecast_;
  Usage usage_;
};

}  // namespace petcore::correlation
