#include "session/dealer_service.h"

#include "session/steps.h"

namespace petcore::session {
correlation::DealerReport serve_dealer(const std::string& protocol,
                                       const std::vector<std::string>& names,
                                       std::vector<std::shared_ptr<net::Channel>> channels,
                                       const Terms& terms,
                                       const std::function<void()>& interrupted) {
  const protocol::Row& row = protocol::find(protocol);
  check(row.parties == 2 && channels.size() == 2 && names.size() == 2, Code::usage,
        "the dealer serves exactly two parties");
  Terms all = base_terms(row, names);
  all.insert(all.end(), terms.begin(), terms.end());
  std::map<int, std::shared_ptr<net::Channel>> links;
  for (std::size_t i = 0; i < channels.size(); ++i) links[static_cast<int>(i)] = channels[i];
  net::Mesh mesh(std::move(links), interrupted);
  const net::Step seeds = seed_step();
  try {
    for (auto& channel : channels) net::agree(*channel, all, handshake_step());
    prg::Seed seed[2];
    for (std::size_t i = 0; i < 2; ++i) channels[i]->recv(seeds, seed[i]);
    correlation::DealerReport report = correlation::serve(*channels[1], seed[0], seed[1]);
    const net::Step idle{0, "waiting for the end of the session"};
    if (channels[0]->next_message(idle))
      throw Error(Code::frame, names[0] + " sent the dealer a message that it never should");
    mesh.close_all();
    return report;
  } catch (const Error& error) {
    mesh.abort_all(error, seeds);
    throw;
  } catch (...) {
    mesh.abort_all(Error(Code::aborted, "the dealer was interrupted"), seeds);
    throw;
  }
}

}  // namespace petcore::session
