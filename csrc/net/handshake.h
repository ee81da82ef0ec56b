// Handshake: both ends of a channel agree on the terms of a session before any data move.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "net/channel.h"

namespace petcore::net {

// Terms: name and value, such as {"protocol", "semi2k"}. Names are unique; at most 64 terms, names
// of at most 64 and values of at most 1024 bytes.
using Terms = std::vector<std::pair<std::string, std::string>>;

// agree exchanges the terms and raises Code::handshake at both ends, naming the first term that
// differs and both values. Then both ends compare SHA-256(binding || terms), so that the agreement
// holds for this connection and no other. Both wait at most the channel's deadline.
void agree(Channel& channel, const Terms& terms, const Step& step);

// answer is agree for an end that serves many: it hears the other's terms first, and `choose` gives
// its own for them, or raises why there are none.
void answer(Channel& channel, const std::function<Terms(const Terms&)>& choose, const Step& step);

}  // namespace petcore::net
