#include "correlation/dealer.h"

#include "base/bytes.h"
#include "correlation/products.h"
#include "correlation/streams.h"

namespace petcore::correlation {
namespace {

class Server {
 public:
  Server(net::Channel& adjusted, const prg::Seed (&seeds)[2], Pool& pool)
      : adjusted_(adjusted), seeds_(seeds), pool_(pool) {}

  void answer(const net::Step& step, const Request& request) {
    check(request.counter > last_counter_, Code::correlation,
          "a party asked twice for the same correlation; start a new session");
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
      adjusted_.send(step, std::as_bytes(product));
      report_.bytes_sent += product.size_bytes();
    }
  }

  // Chunks of one size follow each other: their memory is kept.
  static Words sized(Buffer<std::uint64_t>& buffer, std::size_t size) {
    if (buffer.size() != size) buffer = Buffer<std::uint64_t>(size);
    return buffer.span();
  }

  net::Channel& adjusted_;
  const prg::Seed (&seeds_)[2];
  Pool& pool_;
  std::uint64_t last_counter_ = 0;
  DealerReport report_;
  std::array<Buffer<std::uint64_t>, 3> masks_, products_;
  Buffer<std::uint64_t> share_;
};

}  // namespace

DealerReport serve(net::Channel& adjusted, const prg::Seed (&seeds)[2], Pool& pool) {
  Server server(adjusted, seeds, pool);
  const net::Step waiting{0, "waiting for a request"};
  while (auto message = adjusted.next_message(waiting)) {
    const net::Step step{message->tag, "answering a request for correlations"};
    std::vector<Request> requests;  // all of them are checked before the first is answered
    ByteReader reader(message->payload);
    while (!reader.rest().empty()) requests.push_back(Request::read(reader));
    for (const Request& request : requests) server.answer(step, request);
  }
  return server.report();
}

}  // namespace petcore::correlation
