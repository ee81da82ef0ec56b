#include "correlation/dealer.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "correlation/adjuster.h"
#include "correlation/burden.h"
#include "correlation/products.h"
#include "correlation/streams.h"

namespace petcore::correlation {
namespace {

class Server {
 public:
  Server(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool,
         const ServeOptions& options)
      : link_(link), party_(party), seeds_(seeds), options_(options), adjuster_(pool) {}

  void resume(const Position& position) {
    position_ = position;
    last_counter_ = position.counter > 0 ? position.counter - 1 : 0;
  }

  void answer(const net::Step& step, const Request& request) {
    check(request.counter > last_counter_, Code::correlation,
          "a party asked twice for the same correlation; start a new session");
    check(party_ == 1 || dealt_to_both(request), Code::frame,
          "a party asked the dealer for what only the other one is dealt");
    last_counter_ = request.counter;
    const std::uint64_t all = product_words(request);
    const std::uint64_t had = request.counter == position_.counter ? position_.words : 0;
    check(had <= all, Code::frame, "a party has received more of a request than there is");
    if (options_.admit) options_.admit(party_, request, (all - had) * sizeof(std::uint64_t));
    send(step, request, had);
    ++report_.requests;
    report_.units[request.kind] += request.units;
  }

  const DealerReport& report() const { return report_; }

 private:
  // send leaves out the first `had` words, and computes no chunk that is left out entirely.
  void send(const net::Step& step, const Request& request, std::uint64_t had) {
    const Streams streams[2] = {{seeds_[0], request}, {seeds_[1], request}};
    for (std::uint64_t chunk = 0; chunk < request.num_chunks(); ++chunk) {
      const std::uint64_t words = chunk_words(request, chunk);
      if (had >= words && words > 0) {
        had -= words;
        continue;
      }
      for (const ConstWords product : adjuster_.make(request, chunk, streams, seeds_)) {
        const std::uint64_t left_out = std::min<std::uint64_t>(had, product.size());
        had -= left_out;
        const auto rest = std::as_bytes(product.subspan(left_out));
        link_.send(step, rest);
        report_.bytes_sent += rest.size();
      }
    }
  }

  static std::uint64_t chunk_words(const Request& request, std::uint64_t chunk) {
    const Layout sizes = layout(request, request.units_in_chunk(chunk));
    std::uint64_t words = 0;
    for (std::size_t i = 0; i < sizes.num_products; ++i) words += sizes.products[i];
    return words;
  }

  net::Channel& link_;
  const int party_;
  const prg::Seed (&seeds_)[2];
  const ServeOptions& options_;
  Adjuster adjuster_;
  Position position_;
  std::uint64_t last_counter_ = 0;
  DealerReport report_;
};

void check_burden(const Request& request, const ServeOptions& options, std::uint64_t& work) {
  const Burden cost = burden(request);
  const auto refuse = [&](const char* what, std::uint64_t asked, std::uint64_t allowed) {
    throw Error(Code::limit, std::string("one message asks the dealer for ") + what + " of " +
                                 std::to_string(asked) + ", more than the " +
                                 std::to_string(allowed) +
                                 " that its operator allows; work on smaller parts");
  };
  if (options.memory > 0 && cost.memory > options.memory)
    refuse("memory (bytes)", cost.memory, options.memory);
  work += std::min(cost.work, ~work);  // never beyond 2^64
  if (options.work_per_message > 0 && work > options.work_per_message)
    refuse("work (words and multiply-adds)", work, options.work_per_message);
}

}  // namespace

void Position::write(ByteWriter& out) const {
  out.put(counter);
  out.put(words);
}

Position Position::read(ConstBytes message) {
  ByteReader reader(message);
  Position out;
  out.counter = reader.get<std::uint64_t>();
  out.words = reader.get<std::uint64_t>();
  reader.expect_end();
  return out;
}

DealerReport serve(net::Channel& link, int party, const prg::Seed (&seeds)[2], Pool& pool,
                   const ServeOptions& options) {
  Server server(link, party, seeds, pool, options);
  const net::Step waiting{0, "waiting for a request"};
  bool resumed = options.resumed;
  while (auto message = link.next_message(waiting)) {
    if (resumed) {
      server.resume(Position::read(message->payload));
      resumed = false;
      continue;
    }
    const net::Step step{message->tag, "answering a request for correlations"};
    std::vector<Request> requests;  // all of them are checked before the first is answered
    std::uint64_t work = 0;
    ByteReader reader(message->payload);
    while (!reader.rest().empty()) {
      requests.push_back(Request::read(reader));
      check_burden(requests.back(), options, work);
    }
    try {
      for (const Request& request : requests) server.answer(step, request);
    } catch (const Error& error) {
      // What a program asks for ahead of its needs may be on its way when it ends.
      const bool gone = error.code() == Code::step || error.code() == Code::closed;
      if (!gone || !link.ended()) throw;
      break;
    }
  }
  return server.report();
}

DealerReport serve_both(net::Channel& first, net::Channel& second, const prg::Seed (&seeds)[2],
                        Pool& pool, const ServeOptions& options) {
  std::mutex mutex;
  std::exception_ptr cause;
  DealerReport reports[2];
  const auto fail = [&](const Error& error) {
    const std::lock_guard lock(mutex);
    if (cause) return;
    cause = std::current_exception();
    if (options.failed) options.failed(error);
  };
  const auto guarded = [&](int party, net::Channel& link) {
    try {
      reports[party] = serve(link, party, seeds, pool, options);
    } catch (const Error& error) {
      fail(error);
    } catch (...) {
      fail(Error(Code::aborted, "the dealer was interrupted"));
    }
  };
  std::thread beside([&] { guarded(0, first); });
  guarded(1, second);
  beside.join();
  if (cause) std::rethrow_exception(cause);
  reports[1].bytes_sent += reports[0].bytes_sent;
  return reports[1];
}

}  // namespace petcore::correlation
