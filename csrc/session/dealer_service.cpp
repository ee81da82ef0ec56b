#include "session/dealer_service.h"

#include "session/steps.h"

namespace petcore::session {
namespace {

// What a party sends the dealer before its first request.
struct Joined {
  prg::Seed seeds[2], marks[2];
  ~Joined() { wipe(seeds, sizeof(seeds)); }
};

void receive_seeds(Joined& joined, const std::vector<std::shared_ptr<net::Channel>>& channels) {
  for (std::size_t i = 0; i < 2; ++i) {
    channels[i]->recv(seed_step(), joined.seeds[i]);
    channels[i]->recv(seed_step(), joined.marks[i]);
  }
  check(joined.marks[0] == joined.marks[1], Code::handshake,
        "the two parties are not in the same session with each other; start both again");
}

}  // namespace

correlation::DealerReport serve_dealer(const std::string& protocol,
                                       const std::vector<std::string>& names,
                                       std::vector<std::shared_ptr<net::Channel>> channels,
                                       const Terms& terms, std::size_t threads,
                                       const std::function<void()>& interrupted) {
  const protocol::Row& row = protocol::find(protocol);
  check(row.parties == 2 && channels.size() == 2 && names.size() == 2, Code::usage,
        "the dealer serves exactly two parties");
  for (std::size_t i = 0; i < 2; ++i)
    check(channels[i] != nullptr && channels[i]->peer().name == names[i], Code::usage,
          "a link leads to another party than names says");
  Pool pool(threads);
  Terms all = base_terms(row, names);
  all.insert(all.end(), terms.begin(), terms.end());
  std::map<int, std::shared_ptr<net::Channel>> links;
  for (std::size_t i = 0; i < channels.size(); ++i) links[static_cast<int>(i)] = channels[i];
  net::Mesh mesh(std::move(links), interrupted);
  try {
    for (auto& channel : channels) net::agree(*channel, all, handshake_step());
    Joined joined;
    receive_seeds(joined, channels);
    correlation::DealerReport report =
        correlation::serve_both(*channels[0], *channels[1], joined.seeds, pool);
    mesh.close_all();
    return report;
  } catch (const Error& error) {
    mesh.abort_all(error, seed_step());
    throw;
  } catch (...) {
    mesh.abort_all(Error(Code::aborted, "the dealer was interrupted"), seed_step());
    throw;
  }
}

}  // namespace petcore::session
