// OtSource: correlations that the two parties make themselves, by oblivious transfer, over a link
// that nothing else uses.
#pragma once

#include <memory>

#include "correlation/source.h"
#include "net/channel.h"

namespace petcore::correlation {

class OtSource : public Source {
 public:
  OtSource(std::shared_ptr<net::Channel> offline, int party, Pool& pool);

  void plan(const net::Step& step, std::span<Request> requests) override;
  void masks(std::initializer_list<Take> streams) override;
  void products(std::initializer_list<Words> streams) override;
  void finish() override;
  const Usage& usage() const override { return usage_; }

 private:
  std::shared_ptr<net::Channel> offline_;
  int party_;
  Pool& pool_;
  Usage usage_;
};

}  // namespace petcore::correlation
