#include "session/introduction.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

using net::Terms;

constexpr std::size_t kIntroductionBytes = 2 * sizeof(prg::Seed) + 1;

std::string value_of(const Terms& terms, const std::string& name) {
  for (const auto& [key, value] : terms)
    if (key == name) return value;
  return {};
}

bool includes(const Offer& offer, const std::string& name) {
  return std::find(offer.names.begin(), offer.names.end(), name) != offer.names.end();
}

// choose is the first offer for this peer whose parties are those that it names, in a session that
// it may have. Who is told that there is none hears of no other pair.
std::size_t choose(const std::vector<Offer>& offers, const std::string& peer, const Terms& theirs) {
  if (offers.size() == 1 && includes(offers.front(), peer))
    return 0;  // both ends read what differs
  const std::string parties = value_of(theirs, "parties"), session = value_of(theirs, "session");
  std::size_t named = offers.size();
  for (std::size_t i = offers.size(); i-- > 0;) {
    if (!includes(offers[i], peer) || value_of(offers[i].terms, "parties") != parties) continue;
    const std::string wanted = value_of(offers[i].terms, "session");
    if (named == offers.size() || wanted.empty() || wanted == session) named = i;
  }
  check(
      named < offers.size(), Code::handshake,
      "this dealer does not serve these two parties, in this order, with each other; its operator "
      "lists [[pairs]]");
  return named;
}

}  // namespace

void introduce(net::Channel& dealer, const Introduction& introduction, bool again) {
  net::agree(dealer, introduction.terms, handshake_step());
  const net::Step step = seed_step();
  std::array<std::byte, kIntroductionBytes> said;
  const auto& [terms, seed, mark] = introduction;
  std::copy(seed.begin(), seed.end(), said.begin());
  std::copy(mark.begin(), mark.end(), said.begin() + seed.size());
  said.back() = std::byte{again};
  dealer.send(step, said);
  wipe(said.data(), said.size());
  dealer.recv_message(step);
}

std::unique_ptr<Visitor> meet(std::shared_ptr<net::Channel> channel,
                              const std::vector<Offer>& offers) {
  auto visitor = std::make_unique<Visitor>();
  const std::string& name = channel->peer().name;
  net::answer(
      *channel,
      [&](const Terms& theirs) {
        visitor->offer = choose(offers, name, theirs);
        Terms terms = offers[visitor->offer].terms;
        const std::string session = value_of(theirs, "session");
        if (value_of(terms, "session").empty() && !session.empty())
          terms.emplace_back("session", session);
        return visitor->terms = terms;
      },
      handshake_step());
  const auto& names = offers[visitor->offer].names;
  visitor->party =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  std::array<std::byte, kIntroductionBytes> said;
  channel->recv(seed_step(), said);
  std::copy_n(said.begin(), visitor->seed.size(), visitor->seed.begin());
  std::copy_n(said.begin() + visitor->seed.size(), visitor->mark.size(), visitor->mark.begin());
  visitor->again = said.back() != std::byte{0};
  wipe(said.data(), said.size());
  visitor->channel = std::move(channel);
  return visitor;
}

void welcome(const Visitor& visitor) { visitor.channel->send_message(seed_step(), {}); }

}  // namespace petcore::session
