#include "correlation/dealer.h"

#include <exception>
#include <mutex>
#include <thread>

#include "base/bytes.h"
#include "correlation/keys.h"
#include "correlation/products.h"
#include "correlation/streams.h"

namespace petcore::correlation {
namespace {

class Server {
 public:
  Server(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool)
      : link_(link), party_(party), seeds_(seeds), pool_(pool) {}

  void answer(const net::Step& step, const Request& request) {
    check(request.counter > last_counter_, Code::correlation,
          "a party asked twice for the same correlation; start a new session");
    check(party_ == 1 || dealt_to_both(request), Code::frame,
          "a party asked the dealer for what only the other one is dealt");
    last_counter_ = request.counter;
    const Streams streams[2] = {{seeds_[0], request}, {seeds_[1], request}};
    for (std::uint64_t chunk = 0; chunk < request.num_chunks(); ++chunk)
      send_chunk(step, request, chunk, streams);
    ++report_.requests;
    report_.units[request.kind] += request.units;
  }

  const DealerReport& report() const { return report_; }

 private:
  void send_chunk(const net::Step& step, const Request& request, std::uint64_t chunk,
                  const Streams (&streams)[2]) {
    const Layout sizes = layout(request, request.units_in_chunk(chunk));
    if (dealt_to_both(request)) return send_keys(step, request, chunk, streams, sizes);
    if (is_crossed(request))
      for (std::size_t party = 0; party < 2; ++party)
        streams[party].mask(0, chunk, sized(masks_[party], sizes.masks[0]), pool_);
    for (std::size_t i = 0; i < sizes.num_masks && !is_crossed(request); ++i) {
      const Words mask = sized(masks_[i], sizes.masks[i]);
      streams[0].mask(i, chunk, mask, pool_);
      switch (const Group group = mask_group(request, i)) {
        case Group::words:
          streams[1].mask(i, chunk, plus(mask, mask), pool_);
          break;
        case Group::bits:
          streams[1].mask(i, chunk, toggled(mask, mask), pool_);
          break;
        default:
          streams[1].mask(i, chunk, sized(share_, mask.size()), pool_);
          combine(mask, share_.span(), group);
      }
    }
    for (std::size_t i = 0; i < sizes.num_products; ++i) sized(products_[i], sizes.products[i]);
    make_products(request, request.units_in_chunk(chunk), seeds_, masks_, products_, pool_);
    for (std::size_t i = 0; i < sizes.num_products; ++i) {
      const Words product = products_[i].span();
      switch (const Group group = product_group(request, i)) {
        case Group::words:
          streams[0].product(i, chunk, minus(product, product), pool_);
          break;
        case Group::bits:
          streams[0].product(i, chunk, toggled(product, product), pool_);
          break;
        default:
          streams[0].product(i, chunk, sized(share_, product.size()), pool_);
          subtract(product, share_.span(), group);
      }
      send(step, product);
    }
  }

  void send_keys(const net::Step& step, const Request& request, std::uint64_t chunk,
                 const Streams (&streams)[2], const Layout& sizes) {
    const Words numbers = sized(products_[0], sizes.products[0]);
    const Words corrections = sized(products_[1], sizes.products[1]);
    deal_keys(request, chunk, streams, seeds_, numbers, corrections, pool_);
    send(step, numbers);
    send(step, corrections);
  }

  void send(const net::Step& step, ConstWords words) {
    link_.send(step, std::as_bytes(words));
    report_.bytes_sent += words.size_bytes();
  }

  // Chunks of one size follow each other: their memory is kept.
  static Words sized(Buffer<std::uint64_t>& buffer, std::size_t size) {
    if (buffer.size() != size) buffer = Buffer<std::uint64_t>(size);
    return buffer.span();
  }

  net::Channel& link_;
  const int party_;
  const prg::Seed (&seeds_)[2];
  Pool& pool_;
  std::uint64_t last_counter_ = 0;
  DealerReport report_;
  std::array<Buffer<std::uint64_t>, 3> masks_, products_;
  Buffer<std::uint64_t> share_;
};

}  // namespace

DealerReport serve(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool) {
  Server server(link, party, seeds, pool);
  const net::Step waiting{0, "waiting for a request"};
  while (auto message = link.next_message(waiting)) {
    const net::Step step{message->tag, "answering a request for correlations"};
    std::vector<Request> requests;  // all of them are checked before the first is answered
    ByteReader reader(message->payload);
    while (!reader.rest().empty()) requests.push_back(Request::read(reader));
    for (const Request& request : requests) server.answer(step, request);
  }
  return server.report();
}

DealerReport serve_both(net::Channel& first, net::Channel& second, const prg::Seed (&seeds)[2],
                        Pool& pool) {
  std::mutex mutex;
  std::exception_ptr cause;
  DealerReport reports[2];
  const auto fail = [&](net::Channel& other, const Error& told) {
    {
      const std::lock_guard lock(mutex);
      if (cause) return;
      cause = std::current_exception();
    }
    other.abort(told.code(), told.what(), {0, "serving both parties"});
  };
  const auto guarded = [&](int party, net::Channel& link, net::Channel& other) {
    try {
      reports[party] = serve(link, party, seeds, pool);
    } catch (const Error& error) {
      fail(other, error);
    } catch (...) {
      fail(other, Error(Code::aborted, "the dealer was interrupted"));
    }
  };
  std::thread beside([&] { guarded(0, first, second); });
  guarded(1, second, first);
  beside.join();
  if (cause) std::rethrow_exception(cause);
  reports[1].bytes_sent += reports[0].bytes_sent;
  return reports[1];
}

}  // namespace petcore::correlation
