// StoreSource: correlations from a store (store.h), made earlier by a dealer or by the parties.
//
//   Bytes: none, where the stock suffices; but before more of it is used than was granted (store.h)
//     the parties tell each other so, which takes 8 bytes each way and half a round trip, seldom.
//   Adversary, leaks: as when the stock was made. Both parties know how much of it is left.
//
// What a store cannot hold (masks of a matrix and products with it), and what it has too little of,
// is made by `maker` in the session itself; without a maker it is refused with Code::exhausted.
// With a seed for `lots` a pool that has too little is given a new lot, and the rest of that is
// stock. Both parties come to the same decision, as both have the same stock.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "correlation/source.h"
#include "correlation/store.h"

namespace petcore::correlation {

class StoreSource : public Source {
 public:
  // lots: known to both parties, and used for nothing else.
  StoreSource(std::shared_ptr<Store> store, std::shared_ptr<net::Channel> peer,
              std::unique_ptr<Source> maker, std::optional<prg::Seed> lots, Pool& pool);

  ~StoreSource() override;

  void plan(const net::Step& step, std::span<Request> requests) override;
  void masks(std::initializer_list<Take> streams) override;
  void products(std::initializer_list<Words> streams) override;
  void finish() override;
  const Usage& usage() const override { return usage_; }
  Source* maker() override { return maker_.get(); }

 private:
  struct Batch {
    Request request;
    Shape rows;
    bool online;
    std::vector<Piece> pieces;
    std::uint64_t masks_taken = 0, products_taken = 0;  // chunks

    bool done() const;
  };
  Batch& current(bool want_masks);
  void drop_done();
  void take(const Batch& batch, std::uint64_t chunk, std::size_t stream, const Take& take);
  [[noreturn]] void refuse(const Request& request) const;
  void agree(const net::Step& step, std::uint64_t granted);
  void restock(const net::Step& step, std::span<const Request> requests);

  std::shared_ptr<Store> store_;
  std::shared_ptr<net::Channel> peer_;
  std::unique_ptr<Source> maker_;
  std::optional<prg::Seed> lots_;
  std::uint64_t lots_made_ = 0;
  Pool& pool_;
  std::uint64_t counter_ = 0;
  std::deque<Batch> batches_;
  Usage usage_;
};

}  // namespace petcore::correlation
