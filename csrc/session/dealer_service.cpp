#include "session/dealer_service.h"

#include <map>

#include "net/mesh.h"
#include "session/session.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

// What the other party is told when a session stops on account of this error.
Error farewell(const Error& error) {
  if (error.code() != Code::closed && error.code() != Code::silent) return error;
  return {Code::leaving, std::string(error.what()) + ". The session goes on once both came again"};
}

net::Mesh make_mesh(const std::vector<std::shared_ptr<net::Channel>>& channels,
                    const Dealing& dealing) {
  std::map<int, std::shared_ptr<net::Channel>> links;
  for (std::size_t i = 0; i < channels.size(); ++i) links[static_cast<int>(i)] = channels[i];
  return net::Mesh(std::move(links), [interrupted = dealing.interrupted, stop = dealing.stop] {
    if (stop && stop->is_set()) throw Error(Code::leaving, "the dealer ends; it may come back");
    if (interrupted) interrupted();
  });
}

// guarded runs work and tells every link why it failed.
template <class Work>
auto guarded(net::Mesh& mesh, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    mesh.abort_all(farewell(error), seed_step());
    if (error.code() == Code::leaving) throw Error(Code::aborted, error.what());
    throw;
  } catch (...) {
    mesh.abort_all(Error(Code::aborted, "the dealer was interrupted"), seed_step());
    throw;
  }
}

correlation::DealerReport deal_over(net::Mesh& mesh, const Visitor& first, const Visitor& second,
                                    const Dealing& dealing) {
  check(first.mark == second.mark && first.again == second.again, Code::handshake,
        "the two parties are not in the same session with each other; start both again");
  Pool pool(dealing.threads);
  prg::Seed seeds[2] = {first.seed, second.seed};
  struct Wiped {
    prg::Seed (&seeds)[2];
    ~Wiped() { wipe(seeds, sizeof(seeds)); }
  } wiped{seeds};
  const auto admit = [&](int party, const correlation::Request& request, std::uint64_t bytes) {
    for (const auto& account : dealing.accounts) account->charge(request, bytes, party == 1);
  };
  const auto failed = [&](const Error& error) { mesh.fail(farewell(error)); };
  for (const Visitor* visitor : {&first, &second}) welcome(*visitor);
  correlation::DealerReport report =
      correlation::serve_both(*first.channel, *second.channel, seeds, pool,
                              {.resumed = second.again,
                               .work_per_message = dealing.work_per_message,
                               .memory = dealing.memory,
                               .admit = admit,
                               .failed = failed});
  mesh.close_all();
  return report;
}

}  // namespace

Offer make_offer(const std::string& protocol, const std::vector<std::string>& names,
                 const net::Terms& more) {
  const protocol::Row& row = protocol::find(protocol);
  check(row.parties == 2 && names.size() == 2, Code::usage,
        "the dealer serves exactly two parties");
  Offer offer{names, base_terms(row, names)};
  offer.terms.insert(offer.terms.end(), more.begin(), more.end());
  return offer;
}

correlation::DealerReport deal(const Visitor& first, const Visitor& second,
                               const Dealing& dealing) {
  check(first.party == 0 && second.party == 1, Code::usage,
        "a session has one party of each index");
  net::Mesh mesh = make_mesh({first.channel, second.channel}, dealing);
  return guarded(mesh, [&] { return deal_over(mesh, first, second, dealing); });
}

correlation::DealerReport serve_dealer(const std::string& protocol,
                                       const std::vector<std::string>& names,
                                       std::vector<std::shared_ptr<net::Channel>> channels,
                                       const net::Terms& terms, const Dealing& dealing) {
  const Offer offer = make_offer(protocol, names, terms);
  check(channels.size() == 2, Code::usage, "the dealer serves exactly two parties");
  for (std::size_t i = 0; i < 2; ++i)
    check(channels[i] != nullptr && channels[i]->peer().name == names[i], Code::usage,
          "a link leads to another party than names says");
  net::Mesh mesh = make_mesh(channels, dealing);
  return guarded(mesh, [&] {
    const auto first = meet(channels[0], {offer}), second = meet(channels[1], {offer});
    return deal_over(mesh, *first, *second, dealing);
  });
}

}  // namespace petcore::session
