// Two parties meet: what each says of its store, and where they go on from.
#include <algorithm>

#include "base/error.h"
#include "correlation/store.h"
#include "correlation/store_shelf.h"

namespace petcore::correlation {
namespace {

constexpr std::size_t kLotsMax = 1 << 16;
// A session begins with this part of what is left of a lot granted, and no more cells than that, so
// that a small operation need not wait for the peer.
constexpr std::uint64_t kFirstPart = 32;
constexpr std::uint64_t kFirstMax = 2048;

}  // namespace

Offer Store::offer() const {
  const std::lock_guard lock(mutex_);
  const Ledger& ledger = journal_->ledger();
  Offer offer{ledger.store, ledger.generation, ledger.sessions, ledger.last, ledger.ended, {}};
  for (const auto& shelf : shelves_)
    if (shelf->left() > 0) offer.lots[shelf->header().lot] = {shelf->position, shelf->granted};
  return offer;
}

void Store::check_together(const Offer& theirs) const {
  const Ledger& mine = journal_->ledger();
  const std::string& peer = options_.peer;
  if (mine.store != theirs.store)
    throw Error(Code::handshake,
                "the store here (" + hex(mine.store).substr(0, 8) +
                    ") was not made together with "
                    "that of " +
                    peer + " (" + hex(theirs.store).substr(0, 8) +
                    "): correct the path, or run 'petcore stock --discard' at both, then "
                    "'petcore prepare'");
  const bool behind = mine.generation < theirs.generation;
  throw Error(Code::handshake,
              "the stock was thrown away " + std::to_string(mine.generation) + " times here and " +
                  std::to_string(theirs.generation) + " times at " + peer +
                  ": one of the two was put back from a backup; run 'petcore stock --discard' at " +
                  (behind ? options_.owner : peer));
}

void Store::settle(const Offer& theirs, const Id& fresh) {
  check_usable();
  check(theirs.lots.size() <= kLotsMax, Code::frame, "a peer offers more lots than a store has");
  const Offer mine = offer();
  const std::lock_guard lock(mutex_);
  Ledger ledger = journal_->ledger();
  const bool same = mine.store == theirs.store && mine.generation == theirs.generation;
  const bool none = mine.lots.empty() && theirs.lots.empty();
  const bool follows = mine.store == theirs.store &&
                       (mine.generation < theirs.generation ? mine : theirs).lots.empty();
  if (!same && !none && !follows) check_together(theirs);
  if (mine.store != theirs.store || mine.store == Id{}) ledger.store = fresh;
  ledger.generation = std::max(mine.generation, theirs.generation);
  if (mine.sessions + 1 < theirs.sessions && same)
    tell("the store here is " + std::to_string(theirs.sessions - mine.sessions) +
         " sessions behind that of " + options_.peer +
         ": a backup was put back, or a copy of this machine was used; what " + options_.peer +
         " used meanwhile is burned here");
  ledger.sessions = std::max(mine.sessions, theirs.sessions) + 1;
  burn(theirs, mine.ended && theirs.ended && mine.last == theirs.last);
  ledger.last = fresh;
  ledger.ended = false;
  grant_first();
  for (const auto& shelf : shelves_)
    if (const auto lot = ledger.lots.find(shelf->header().lot); lot != ledger.lots.end())
      lot->second = {shelf->position, shelf->granted};
  journal_->rewrite(std::move(ledger));
  settled_ = true;
}

// What one of the two had granted may have been used, and it may have forgotten.
void Store::burn(const Offer& theirs, bool in_order) {
  std::uint64_t burned = 0, dropped = 0;
  for (std::size_t index = 0; index < shelves_.size(); ++index) {
    Shelf& shelf = *shelves_[index];
    if (shelf.left() == 0) continue;
    const auto found = theirs.lots.find(shelf.header().lot);
    std::uint64_t position = shelf.cells();
    if (found == theirs.lots.end()) {
      ++dropped;
    } else {
      const Used& other = found->second;
      position = in_order ? std::max(shelf.position, other.position)
                          : std::max(shelf.granted, other.granted);
      position = std::min(std::max(position, shelf.position), shelf.cells());
      burned += position - shelf.position;
    }
    shelf.position = shelf.granted = position;
    behind_.insert(index);
  }
  if (dropped > 0)
    tell(std::to_string(dropped) + " lots are here and not at " + options_.peer +
         "; they cannot be used and are removed");
  if (burned > 0)
    tell(thousands(burned) + " cells that " + options_.peer +
         " has used, or that either may have used, are burned here too");
}

void Store::grant_first() {
  for (const auto& [pool, lots] : pools_)
    for (const std::size_t index : lots) {
      Shelf& shelf = *shelves_[index];
      if (shelf.left() == 0) continue;
      shelf.granted = shelf.position + std::min(shelf.left() / kFirstPart, kFirstMax);
      break;
    }
}

}  // namespace petcore::correlation
