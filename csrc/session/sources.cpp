#include "session/sources.h"

#include <array>
#include <string>

#include "correlation/dealer_source.h"
#include "correlation/ot_source.h"
#include "correlation/store_making.h"
#include "correlation/store_source.h"
#include "session/introduction.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

using correlation::Source;

std::unique_ptr<Source> make_dealt(const Config& config, const prg::Seed& common_seed, Pool& pool,
                                   const Around& around) {
  // The dealer compares the marks of those who come: it must serve one session, not halves of two.
  const prg::Seed mark = prg::derive(common_seed, {kSessionMark, 0, 0, 0, 0, 0});
  const Introduction introduction{dealer_terms(config), prg::random_seed(), mark};
  introduce(*config.dealer, introduction, false);
  if (config.redial)
    around.dealer->mend(
        config.redial,
        [introduction](net::Channel& channel) { introduce(channel, introduction, true); },
        config.redial_patience);
  const auto wait = [mesh = around.mesh, interrupted = config.interrupted] {
    if (interrupted) interrupted();
    mesh->check();
  };
  const bool adjusted = config.party == 1;
  auto source = std::make_unique<correlation::DealerSource>(*around.dealer, introduction.seed,
                                                            adjusted, pool, wait);
  if (config.verify > 0)
    source->verify(std::make_unique<correlation::Verification>(
        config.verify, config.peers.at(1 - config.party), common_seed, introduction.seed, adjusted,
        pool));
  return source;
}

std::unique_ptr<Source> make_own(const Config& config, const prg::Seed& common_seed, Pool& pool,
                                 const Around&) {
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
  return std::make_unique<correlation::OtSource>(config.peers.at(1 - config.party), config.offline,
                                                 config.party, config.transfers, pool);
}

struct Row {
  std::string_view name;
  protocol::Setting setting;
  bool dealer, offline;  // which of the links it takes
  std::unique_ptr<Source> (*make)(const Config&, const prg::Seed&, Pool&, const Around&);
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
  known += std::string(", ") + kFromStore;
  throw Error(Code::usage, "no source of correlations is called '" + std::string(name) +
                               "'; there are: " + known);
}

// What is taken from a store needs no link; what it lacks needs those of its maker.
constexpr const char* kRefuse = "refuse";
constexpr const char* kRestock = "restock";

struct Links {
  bool dealer, offline;
};
Links links_for(const Config& config) {
  const bool stocked = config.correlations == kFromStore;
  const Row& row = find(stocked ? config.maker : config.correlations);
  if (stocked && config.at_zero == kRefuse) return {false, false};
  return {row.dealer, row.offline};
}

}  // namespace

void check_source(const Config& config) {
  const Links row = links_for(config);
  const std::string name = config.correlations;
  check(config.correlations != kFromStore || config.store != nullptr, Code::usage,
        "correlations = store needs a store to take them from");
  check(config.at_zero == kRefuse || config.at_zero == "make" || config.at_zero == kRestock,
        Code::usage, "at_zero is refuse, make or restock");
  const auto check_link = [&](bool wanted, bool given, const std::string& link) {
    if (given == wanted) return;
    throw Error(Code::usage,
                "correlations = " + name + (wanted ? " needs " : " has no use for ") + link);
  };
  check_link(row.dealer, config.dealer != nullptr, "a link to a dealer, which makes them");
  check_link(row.offline, config.offline != nullptr,
             "a second link to the peer, where the parties make them");
}

std::string at_zero_text(const Config& config) {
  return config.at_zero == kRefuse ? config.at_zero : config.at_zero + " by " + config.maker;
}

protocol::Setting setting_of(std::string_view correlations, std::string_view maker,
                             const ot::Options& transfers) {
  protocol::Setting setting = find(correlations == kFromStore ? maker : correlations).setting;
  setting.block_bytes = ot::block_bytes_of(transfers);
  return setting;
}

std::unique_ptr<Source> make_source(const Config& config, const prg::Seed& common_seed, Pool& pool,
                                    const Around& around) {
  if (config.store)
    correlation::settle_stores(*config.store, *config.peers.begin()->second, seed_step(),
                               prg::derive(common_seed, {kStockMark, 0, 0, 0, 0, 0}));
  if (config.correlations != kFromStore)
    return find(config.correlations).make(config, common_seed, pool, around);
  std::unique_ptr<Source> maker;
  if (config.at_zero != kRefuse) maker = find(config.maker).make(config, common_seed, pool, around);
  std::optional<prg::Seed> lots;
  if (config.at_zero == kRestock) lots = prg::derive(common_seed, {kStockMark, 0, 1, 0, 0, 0});
  return std::make_unique<correlation::StoreSource>(config.store, config.peers.begin()->second,
                                                    std::move(maker), lots, pool);
}

}  // namespace petcore::session
