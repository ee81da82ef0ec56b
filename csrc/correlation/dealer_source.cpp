#include "correlation/dealer_source.h"

#include <algorithm>

#include "correlation/products.h"

namespace petcore::correlation {

DealerSource::DealerSource(std::shared_ptr<net::Channel> dealer, const prg::Seed& seed,
                           bool adjusted, Pool& pool)
    : dealer_(std::move(dealer)), seed_(seed), adjusted_(adjusted), pool_(pool) {}

void DealerSource::plan(const net::Step& step, std::span<Request> requests) {
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
  step_ = step;
  ByteWriter message;
  std::uint32_t num_requests = 0;
  for (Request& request : requests) {
    request.counter = ++counter_;
    if (asks_for(request)) {
      request.write(message);
      ++num_requests;
    }
    usage_.units[request.kind] += request.units;
    batches_.push_back({request, Streams(seed_, request)});
  }
  if (num_requests > 0) dealer_->send_message(step_, message.bytes());
}

bool DealerSource::asks_for(const Request& request) const {
  return dealt_to_both(request) || (adjusted_ && request.kind != Kind::mask);
}

DealerSource::Batch& DealerSource::current(bool want_masks) {
  for (Batch& batch : batches_)
    if ((want_masks ? batch.masks_taken : batch.products_taken) < batch.request.num_chunks())
      return batch;
  throw Error(Code::internal, "an operation takes more correlations than it planned");
}

void DealerSource::masks(std::initializer_list<Take> streams) {
  Batch& batch = current(true);
  const std::uint64_t chunk = batch.masks_taken++;
  const Layout expected = layout(batch.request, batch.request.units_in_chunk(chunk));
  check(streams.size() == expected.num_masks, Code::internal, "mask streams do not fit the plan");
  std::size_t index = 0;
  for (const Take& take : streams) {
    check(take.out.size() == expected.masks[index], Code::internal, "a mask does not fit the plan");
    batch.streams.mask(index++, chunk, take, pool_);
  }
}

void DealerSource::products(std::initializer_list<Words> streams) {
  Batch& batch = current(false);
  const std::uint64_t chunk = batch.products_taken++;
  const Layout expected = layout(batch.request, batch.request.units_in_chunk(chunk));
  check(streams.size() == expected.num_products, Code::internal,
        "product streams do not fit the plan");
  std::size_t index = 0;
  for (const Words& out : streams) {
    check(out.size() == expected.products[index], Code::internal,
          "a product does not fit the plan");
    if (asks_for(batch.request)) {
      dealer_->recv(step_, std::as_writable_bytes(out));
      usage_.offline_bytes += out.size_bytes();
    } else {
      batch.streams.product(index, chunk, out, pool_);
    }
    ++index;
  }
  while (!batches_.empty() &&
         batches_.front().products_taken == batches_.front().request.num_chunks() &&
         batches_.front().masks_taken == batches_.front().products_taken)
    batches_.pop_front();
}

Kept DealerSource::kept(const Request& request) const {
  Kept kept;
  kept.masks = true, kept.products = !asks_for(request);
  kept.seeds = stream_seeds(seed_, request);
  return kept;
}

void DealerSource::finish() {
  std::erase_if(batches_, [](const Batch& batch) {
    return batch.request.kind == Kind::mask && batch.masks_taken == batch.request.num_chunks();
  });
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
}

}  // namespace petcore::correlation
