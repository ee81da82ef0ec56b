#include "session/sources.h"

#include <array>
#include <string>

#include "correlation/dealer_source.h"
#include "correlation/ot_source.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

using correlation::Source;

std::unique_ptr<Source> make_dealt(const Config& config, const prg::Seed& common_seed, Pool& pool) {
  const prg::Seed seed = prg::random_seed();
  config.dealer->send(seed_step(), seed);
  // The dealer compares what the parties send here: it must serve one session, not halves of two.
  config.dealer->send(seed_step(), prg::derive(common_seed, {kSessionMark, 0, 0, 0, 0, 0}));
  return std::make_unique<correlation::DealerSource>(config.dealer, seed, config.party == 1, pool);
}

std::unique_ptr<Source> make_own(const Config& config, const prg::Seed& common_seed, Pool& pool) {
  const prg::Seed mark = prg::derive(common_seed, {kSessionMark, 1, 0, 0, 0, 0});
  prg::Seed theirs;
  config.offline->send(seed_step(), mark);
  config.offline->recv(seed_step(), theirs);
  if (mark != theirs) {
    const net::Peer& peer = config.offline->peer();
    throw Error(Code::handshake,
                "the offline link leads into another session with " + peer.name +
                    " than the first link; start both parties again",
                peer.name, peer.address, seed_step().what);
  }
  return std::make_unique<correlation::OtSource>(config.offline, config.party, pool);
}

struct Row {
  std::string_view name;
  protocol::Setting setting;
  bool dealer, offline;  // which of the links it takes
  std::unique_ptr<Source> (*make)(const Config&, const prg::Seed&, Pool&);
};
constexpr std::array<Row, 2> kRows = {{
    {"dealer", {.dealt = true}, true, false, &make_dealt},
    {"ot", {.dealt = false}, false, true, &make_own},
}};

const Row& find(std::string_view name) {
  std::string known;
  for (const Row& row : kRows) {
    if (row.name == name) return row;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(Code::usage, "no source of correlations is called '" + std::string(name) +
                               "'; there are: " + known);
}

}  // namespace

void check_source(const Config& config) {
  const Row& row = find(config.correlations);
  const std::string name(row.name);
  const auto check_link = [&](bool wanted, bool given, const std::string& link) {
    if (given == wanted) return;
    throw Error(Code::usage,
                "correlations = " + name + (wanted ? " needs " : " has no use for ") + link);
  };
  check_link(row.dealer, config.dealer != nullptr, "a link to a dealer, which makes them");
  check_link(row.offline, config.offline != nullptr,
             "a second link to the peer, where the parties make them");
}

protocol::Setting setting_of(std::string_view correlations) { return find(correlations).setting; }

std::unique_ptr<Source> make_source(const Config& config, const prg::Seed& common_seed,
                                    Pool& pool) {
  return find(config.correlations).make(config, common_seed, pool);
}

}  // namespace petcore::session
