#include "correlation/ot_source.h"

#include <algorithm>
#include <utility>

#include "ring/ring.h"

namespace petcore::correlation {
namespace {

// Hands out words that are made already.
void take_from(ConstWords s, const Take& take) {
  switch (take.as) {
    case Take::As::plain:
      std::copy(s.begin(), s.end(), take.out.begin());
      return;
    case Take::As::plus:
      return ring::add(take.out, take.x, s);
    case Take::As::minus:
      return ring::sub(take.out, take.x, s);
    case Take::As::toggled:
      for (std::size_t i = 0; i < s.size(); ++i) take.out[i] = take.x[i] ^ s[i];
      return;
  }
}

}  // namespace

OtSource::OtSource(std::shared_ptr<net::Channel> online, std::shared_ptr<net::Channel> offline,
                   int party, const ot::Options& options, Pool& pool)
    : online_(std::move(online)),
      ot_(std::move(offline), party, options, pool),
      party_(party),
      block_bytes_(ot::block_bytes_of(options)),
      pool_(pool),
      seed_(prg::random_seed()) {}

void OtSource::plan(const net::Step& step, std::span<Request> requests) {
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
  step_ = step;
  for (Request& request : requests) {
    request.counter = ++counter_;
    usage_.units[request.kind] += request.units;
    usage_.offline_bytes += price_of(request).made_bytes(block_bytes_) / 2;
    const bool stocked = OtStock::serves(request);
    batches_.push_back(
        {request, Streams(seed_, request), stocked, stocked || remakes_masks(request), 0, 0, {}});
  }
  if (!begins_with_making()) return;
  online_->send_message(step_, {});
  check(online_->recv_message(step_).empty(), Code::frame,
        "a party that begins to make correlations says more than that");
}

bool OtSource::begins_with_making() const {
  return std::any_of(batches_.begin(), batches_.end(), [&](const Batch& batch) {
    return batch.made_first && !(batch.stocked && stock_.has(batch.request));
  });
}

OtSource::Batch& OtSource::current(bool want_masks) {
  for (Batch& batch : batches_)
    if ((want_masks ? batch.masks_taken : batch.products_taken) < batch.request.num_chunks())
      return batch;
  throw Error(Code::internal, "an operation takes more correlations than it planned");
}

Chunk OtSource::make(const Request& request, const Streams& streams, std::uint64_t index) {
  const std::uint64_t units = request.units_in_chunk(index);
  const Layout sizes = layout(request, units);
  Chunk chunk;
  for (std::size_t i = 0; i < sizes.num_masks; ++i) {
    chunk.masks[i] = Buffer<std::uint64_t>(sizes.masks[i]);
    streams.mask(i, index, chunk.masks[i].span(), pool_);
  }
  for (std::size_t i = 0; i < sizes.num_products; ++i)
    chunk.products[i] = Buffer<std::uint64_t>(sizes.products[i]);
  Making making{ot_, step_, party_, seed_, pool_};
  make_chunk(making, request, units, chunk);
  return chunk;
}

Chunk OtSource::make_or_take(const Batch& batch, std::uint64_t index) {
  if (!batch.stocked) return make(batch.request, batch.streams, index);
  return stock_.take(batch.request, [&](Request ahead) {
    ahead.counter = ++counter_;
    return make(ahead, Streams(seed_, ahead), 0);
  });
}

void OtSource::masks(std::initializer_list<Take> streams) {
  Batch& batch = current(true);
  const std::uint64_t chunk = batch.masks_taken++;
  const Layout expected = layout(batch.request, batch.request.units_in_chunk(chunk));
  check(streams.size() == expected.num_masks, Code::internal, "mask streams do not fit the plan");
  if (batch.made_first) batch.made.push_back(make_or_take(batch, chunk));
  std::size_t index = 0;
  for (const Take& take : streams) {
    check(take.out.size() == expected.masks[index], Code::internal, "a mask does not fit the plan");
    if (batch.made_first)
      take_from(batch.made.back().masks[index].span(), take);
    else
      batch.streams.mask(index, chunk, take, pool_);
    ++index;
  }
}

void OtSource::products(std::initializer_list<Words> streams) {
  Batch& batch = current(false);
  const std::uint64_t index = batch.products_taken++;
  const Layout expected = layout(batch.request, batch.request.units_in_chunk(index));
  check(streams.size() == expected.num_products, Code::internal,
        "product streams do not fit the plan");
  Chunk chunk;
  if (batch.made_first) {
    check(!batch.made.empty(), Code::internal, "products were taken before their masks");
    chunk = std::move(batch.made.front());
    batch.made.pop_front();
  } else {
    chunk = make(batch.request, batch.streams, index);
  }
  std::size_t stream = 0;
  for (const Words& out : streams) {
    check(out.size() == expected.products[stream], Code::internal,
          "a product does not fit the plan");
    std::copy(chunk.products[stream].begin(), chunk.products[stream].end(), out.begin());
    ++stream;
  }
  while (!batches_.empty() &&
         batches_.front().products_taken == batches_.front().request.num_chunks() &&
         batches_.front().masks_taken == batches_.front().products_taken)
    batches_.pop_front();
}

void OtSource::finish() {
  std::erase_if(batches_, [](const Batch& batch) {
    return batch.request.kind == Kind::mask && batch.masks_taken == batch.request.num_chunks();
  });
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
}

}  // namespace petcore::correlation
