#include "correlation/dealer_source.h"

#include <algorithm>

#include "base/bytes.h"
#include "correlation/dealer.h"
#include "correlation/products.h"

namespace petcore::correlation {

namespace {

// A message holds requests of 92 bytes each and is at most 64 KiB long.
constexpr std::size_t kRequestsPerMessage = 512;
// A large matrix is taken in by parts: what has arrived need not be sent again after a loss.
constexpr std::size_t kPartWords = std::size_t{1} << 17;
// Bounds how far ahead many small plans are asked for.
constexpr std::size_t kDepthMax = 1024;

bool is_dealt(const Request& request) { return request.kind != Kind::mask; }

std::uint64_t dealt_bytes(std::span<const Request> requests) {
  std::uint64_t words = 0;
  for (const Request& request : requests) words += product_words(request);
  return words * sizeof(std::uint64_t);
}

}  // namespace

DealerSource::DealerSource(DealerLink& dealer, const prg::Seed& seed, bool adjusted, Pool& pool,
                           std::function<void()> wait)
    : dealer_(dealer),
      wait_(std::move(wait)),
      channel_(dealer.channel()),
      seed_(seed),
      adjusted_(adjusted),
      pool_(pool) {}

void DealerSource::verify(std::unique_ptr<Verification> verification) {
  verification_ = std::move(verification);
}

void DealerSource::plan(const net::Step& step, std::span<Request> requests) {
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
  step_ = step;
  const auto first = std::find_if(requests.begin(), requests.end(), is_dealt);
  bool foreseen = false;
  while (true) {
    foreseen = take_foreseen(requests);
    if (!foreseen) {
      for (Request& request : requests) request.counter = ++counter_;
      ask(requests);
    }
    if (first == requests.end() || !verification_ || !verification_->chosen(first->counter)) break;
    check_dealt(requests);
  }
  for (const Request& request : requests) {
    usage_.units[request.kind] += request.units;
    batches_.push_back({request, Streams(seed_, request)});
  }
  if (ahead_max_ == 0) return;
  usage_.foreseen += foreseen ? 1 : 0;
  depth_ = foreseen ? std::min(2 * depth_, kDepthMax) : 1;
  forecast_.note(requests, foreseen);
  ask_ahead();
}

void DealerSource::check_dealt(std::span<const Request> requests) {
  const Request* asked = nullptr;
  std::size_t next = 0;
  std::uint64_t left = 0;
  const auto take = [&](Words out) {
    if (out.empty()) return;
    while (left == 0) {
      asked = &requests[next++];
      left = asks_for(*asked) ? product_words(*asked) : 0;
    }
    left -= out.size();
    receive(*asked, out);
  };
  verification_->check(step_, requests, take, channel_->peer());
  ++usage_.checked;
  if (adjusted_) usage_.checked_bytes += dealt_bytes(requests);
}

void DealerSource::ahead(std::uint64_t bytes) {
  check(bytes <= channel_->limits().inbox_bytes_max / 2, Code::usage,
        "more is to be fetched ahead than half of inbox_bytes_max: it would stop the link");
  ahead_max_ = bytes;
  depth_ = 1;
  forecast_ = {};
  if (bytes > 0) return;
  usage_.discarded_bytes += ahead_;
  foreseen_.clear();
  ahead_ = 0;
}

// What was expected before the plan at hand, and did not come, is thrown away.
bool DealerSource::take_foreseen(std::span<Request> requests) {
  while (!foreseen_.empty()) {
    const Plan plan = std::move(foreseen_.front());
    foreseen_.pop_front();
    const std::uint64_t bytes = dealt_bytes(plan);
    ahead_ -= bytes;
    if (same(plan, requests)) {
      std::copy(plan.begin(), plan.end(), requests.begin());
      return true;
    }
    usage_.discarded_bytes += bytes;
  }
  return false;
}

void DealerSource::ask_ahead() {
  if (foreseen_.size() > depth_ / 2) return;
  while (foreseen_.size() < depth_) {
    const Plan* expected = forecast_.expected();
    if (expected == nullptr) break;
    const std::uint64_t bytes = dealt_bytes(*expected);
    if (ahead_ + bytes > ahead_max_) break;
    foreseen_.push_back(*expected);
    forecast_.step();
    ahead_ += bytes;
    for (Request& request : foreseen_.back()) request.counter = ++counter_;
    ask(foreseen_.back());  // a message each: the dealer bounds the work of one
  }
}

bool DealerSource::asks_for(const Request& request) const {
  return dealt_to_both(request) || (adjusted_ && is_dealt(request));
}

void DealerSource::ask(std::span<const Request> requests) {
  std::vector<ByteWriter> messages;
  std::vector<Asked> asked;
  std::size_t num_requests = 0;
  for (const Request& request : requests) {
    if (!asks_for(request)) continue;
    if (num_requests++ % kRequestsPerMessage == 0) messages.emplace_back();
    request.write(messages.back());
    if (const std::uint64_t words = product_words(request); words > 0)
      asked.push_back({step_, request, words});
  }
  if (messages.empty()) return;
  linked([&](net::Channel& channel) {
    for (const ByteWriter& message : messages) channel.send_message(step_, message.bytes());
  });
  asked_.insert(asked_.end(), asked.begin(), asked.end());
}

template <class Work>
void DealerSource::linked(const Work& work) {
  while (true) {
    try {
      if (const auto channel = dealer_.channel(); channel != channel_) {
        channel_ = channel;
        ask_again();
      }
      return work(*channel_);
    } catch (const Error& error) {
      dealer_.renewed(channel_, error, wait_);
    }
  }
}

void DealerSource::ask_again() {
  const bool waiting = !asked_.empty();
  ByteWriter position;
  Position{waiting ? asked_.front().request.counter : received_ + 1,
           waiting ? asked_.front().received : 0}
      .write(position);
  channel_->send_message(step_, position.bytes());
  for (auto first = asked_.begin(); first != asked_.end();) {
    ByteWriter message;
    auto last = first;
    for (std::size_t n = 0;
         last != asked_.end() && last->step.tag == first->step.tag && n < kRequestsPerMessage;
         ++n, ++last)
      last->request.write(message);
    channel_->send_message(first->step, message.bytes());
    first = last;
  }
}

void DealerSource::receive(const Request& request, Words out) {
  if (out.empty()) return;
  while (asked_.front().request.counter < request.counter) {
    const Asked& unused = asked_.front();
    Buffer<std::uint64_t> thrown_away(std::min(kPartWords, unused.words - unused.received));
    receive_next(thrown_away.span());
  }
  check(asked_.front().request.counter == request.counter, Code::internal,
        "words are taken that the dealer was not asked for");
  receive_next(out);
}

void DealerSource::receive_next(Words out) {
  std::size_t filled = 0;
  while (filled < out.size()) {
    linked([&](net::Channel& channel) {
      const Words part = out.subspan(filled, std::min(kPartWords, out.size() - filled));
      channel.recv({asked_.front().step.tag, step_.what}, std::as_writable_bytes(part));
      filled += part.size();
      Asked& first = asked_.front();
      first.received += part.size();
      if (first.received < first.words) return;
      received_ = first.request.counter;
      asked_.pop_front();
    });
  }
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
      receive(batch.request, out);
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
