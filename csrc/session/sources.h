// Sources: where the correlations of a session come from, by the name of its configuration.
//
//   "dealer"  a third process deals them
//   "ot"      the two parties make them, by oblivious transfer over a link of its own, so that the
//             offline phase and the online phase never wait for each other's messages
//   "store"   both parties made them earlier and kept them; the maker of that stock makes what it
//             lacks, where the configuration says so
#pragma once

#include <memory>

#include "correlation/source.h"
#include "protocol/setting.h"
#include "session/session.h"

namespace petcore::session {

// check_source raises Code::usage for an unknown name or a link that is missing or of no use.
void check_source(const Config& config);
constexpr const char* kFromStore = "store";
// setting_of a store is that of the maker of its stock.
protocol::Setting setting_of(std::string_view correlations, std::string_view maker = "dealer",
                             const ot::Options& transfers = {});

// at_zero_text is what the parties agree on.
std::string at_zero_text(const Config& config);

struct Around {
  net::Mesh* mesh;
  correlation::DealerLink* dealer;  // where the configuration has a dealer
};
// make_source settles the stores, if there are any, and introduces this party to whom it takes
// correlations from or makes them with. Both links must lead into the session that the common seed
// stands for, else Code::handshake.
std::unique_ptr<correlation::Source> make_source(const Config& config, const prg::Seed& common_seed,
                                                 Pool& pool, const Around& around);

}  // namespace petcore::session
