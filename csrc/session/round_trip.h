// How long a message and its answer take between the parties, known to all of them alike.
#pragma once

#include <chrono>
#include <map>
#include <memory>

#include "net/channel.h"

namespace petcore::session {

// measure_round_trip: the first party exchanges a few empty messages with each of the others and
// tells them the shortest time of the slowest link, in whole milliseconds. It is a hint that
// decides how things are computed, never whether they are right: a party that lies about it makes
// them slow. Links inside one process are not measured; they take no time.
std::chrono::milliseconds measure_round_trip(
    int party, const std::map<int, std::shared_ptr<net::Channel>>& peers);

}  // namespace petcore::session
