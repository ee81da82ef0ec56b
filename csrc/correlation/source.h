// Source: where a protocol takes its correlations from. The protocol plans what the coming
// operation will use, in order, then takes masks and products chunk by chunk in that order.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "correlation/streams.h"
#include "net/channel.h"

namespace petcore::correlation {

struct Usage {
  std::uint64_t offline_bytes = 0;      // that this party received for them
  std::map<Kind, std::uint64_t> units;  // handed out, by kind
  // Of a dealer: plans asked for ahead and used; bytes of those never used; plans that were checked
  // and thrown away, and their bytes.
  std::uint64_t foreseen = 0, discarded_bytes = 0, checked = 0, checked_bytes = 0;
};

// Kept: what stands for the words of a planned request, so that a store need not keep the words.
struct Kept {
  bool masks = false, products = false;  // which of them the seeds stand for
  std::vector<prg::Seed> seeds;          // one per stream, masks first

  ~Kept() {
    for (prg::Seed& seed : seeds) wipe(seed.data(), seed.size());
  }
};

class Source {
 public:
  virtual ~Source() = default;

  // plan announces batches and gives each its counter (written into the requests). Counters only
  // grow: a batch that is planned and then not used is lost, never handed out again.
  virtual void plan(const net::Step& step, std::span<Request> requests) = 0;
  // masks fills the mask streams of the next chunk whose masks were not yet taken.
  virtual void masks(std::initializer_list<Take> streams) = 0;
  // products fills the product streams of the next chunk whose products were not yet taken.
  virtual void products(std::initializer_list<Words> streams) = 0;
  // ahead lets the source fetch what it expects to be planned next, up to so many bytes at a time;
  // 0 ends that. What is fetched and not used is thrown away. All parties call it at the same
  // point.
  virtual void ahead(std::uint64_t /*bytes*/) {}
  // finish raises Code::internal if a planned chunk was left over.
  virtual void finish() = 0;

  virtual const Usage& usage() const = 0;
  // maker is who makes new correlations: null where there are only old ones.
  virtual Source* maker() { return this; }
  // kept is for a request that was planned and has one chunk; its words must still be taken.
  virtual Kept kept(const Request&) const { return {}; }
};

}  // namespace petcore::correlation
