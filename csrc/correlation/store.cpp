#include "correlation/store.h"

#include <algorithm>

#include "base/error.h"

namespace petcore::correlation {
namespace {

// A window is this part of a lot, and not more cells than that.
constexpr std::uint64_t kWindowsPerLot = 64;
constexpr std::uint64_t kWindowMax = 1024;
// Segments of one lot that are kept open at most, while chunks of an operation overlap.
constexpr std::size_t kOpenMax = 16;
constexpr std::size_t kLotsMax = 1 << 16;

std::string thousands(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

std::uint64_t low_mark(std::uint64_t target, double low) {
  const auto mark = static_cast<std::uint64_t>(low * static_cast<double>(target));
  return target > 0 ? std::max<std::uint64_t>(mark, 1) : 0;
}

// As people read it: pools in the order of their keys, each with its mark.
std::vector<PoolStatus> listed(std::map<PoolKey, PoolStatus>& pools, double low) {
  std::vector<PoolStatus> list;
  for (auto& [pool, entry] : pools) {
    entry.pool = pool;
    entry.mark = low_mark(entry.target, low);
    entry.low = entry.units < entry.mark;
    list.push_back(entry);
  }
  return list;
}

}  // namespace

struct Store::Shelf {
  Lot lot;
  std::uint64_t position = 0, reserved = 0;  // cells: handed out, and set aside on the disk
  std::uint64_t erased = 0;                  // segments
  bool verified = false, gone = false;
  std::deque<std::pair<std::uint64_t, std::shared_ptr<const Segment>>> open;

  const LotHeader& header() const { return lot.header(); }
  std::uint64_t cells() const { return header().num_cells(); }
  std::uint64_t per_cell() const { return cell_units(header().pool); }
  std::uint64_t left() const { return gone ? 0 : cells() - std::min(position, cells()); }
  // segment_at is the first segment of which anything is left.
  std::uint64_t segment_at() const {
    if (position >= cells()) return header().num_segments();
    return position * per_cell() / header().segment_units;
  }
};

Store::Store(StoreOptions options) : options_(std::move(options)) {
  make_directory(options_.path);
  lock_.emplace(options_.path);
  std::optional<Ledger> ledger = Journal::read(options_.path, options_.key);
  if (!ledger) {
    ledger.emplace();
    ledger->party = options_.party, ledger->owner = options_.owner, ledger->peer = options_.peer;
  }
  if (ledger->party != options_.party || ledger->owner != options_.owner ||
      ledger->peer != options_.peer)
    throw Error(Code::store, options_.path + ": holds the stock of " + ledger->owner + " with " +
                                 ledger->peer + ", not of " + options_.owner + " with " +
                                 options_.peer + "; each pair of parties has a store of its own");
  journal_.emplace(options_.path, options_.key, std::move(*ledger));
  open_lots();
  if (options_.trace.empty()) return;
  trace_ = exists(options_.trace) ? File::open(options_.trace, true) : File::create(options_.trace);
  trace_offset_ = trace_->size();
}

Store::~Store() { close(); }

// Nothing was looked at behind the position.
void Store::close() noexcept {
  if (!born_.here()) return;
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  try {
    std::vector<Record> records;
    for (const auto& shelf : shelves_)
      if (!shelf->gone && shelf->reserved > shelf->position)
        records.push_back({Record::What::cursor, shelf->header().lot, shelf->position});
    journal_->append(records);
  } catch (const Error&) {  // it stays set aside: lost, never used twice
  }
  lock_.reset();
}

void Store::tell(const std::string& text) const {
  if (options_.tell) options_.tell(text);
}

void Store::check_usable() const {
  check(born_.here(), Code::broken,
        "a store belongs to the process that opened it; after fork() the child must open its own");
  check(!closed_, Code::broken, "the store was closed");
}

void Store::open_lots() {
  const Ledger& ledger = journal_->ledger();
  std::map<std::string, std::uint64_t> known;  // by file name
  for (const auto& [lot, cells] : ledger.lots) known.emplace(lot_name(lot), cells);
  for (const std::string& name : list_directory(options_.path)) {
    if (is_draft_name(name)) remove_file(options_.path + "/" + name);
    if (is_damaged_name(name)) damaged_.push_back(name);
    if (!is_lot_name(name)) continue;
    if (const auto found = known.find(name); found == known.end()) {
      tell(options_.path + "/" + name + ": is no part of this stock, as after a crash; removed");
      destroy_lot(options_.path, name);
    } else if (open_lot(name, found->second)) {
      known.erase(found);
    }
  }
  std::vector<Record> lost;
  for (const auto& [lot, cells] : ledger.lots)
    if (known.contains(lot_name(lot))) lost.push_back({Record::What::gone, lot});
  if (!lost.empty())
    tell(options_.path + ": " + std::to_string(lost.size()) +
         " lots of the stock are missing or damaged; they will not be used");
  journal_->append(lost);
  for (auto& [pool, lots] : pools_)
    std::sort(lots.begin(), lots.end(), [&](std::size_t a, std::size_t b) {
      const LotHeader &x = shelves_[a]->header(), &y = shelves_[b]->header();
      return std::tie(x.sequence, x.lot) < std::tie(y.sequence, y.lot);
    });
  trim();
}

bool Store::open_lot(const std::string& name, std::uint64_t position) {
  try {
    auto shelf = std::make_unique<Shelf>(Lot(options_.path, name, options_.key, true));
    shelf->position = shelf->reserved = position;
    pools_[shelf->header().pool].push_back(shelves_.size());
    behind_.insert(shelves_.size());
    shelves_.push_back(std::move(shelf));
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::damaged) throw;
    set_aside(name, error.what());
    return false;
  }
}

// The file stays, for whoever wants to know why.
void Store::set_aside(const std::string& name, const std::string& why) {
  rename_file(options_.path + "/" + name, options_.path + "/" + damaged_name(name));
  damaged_.push_back(damaged_name(name));
  tell(why);
}

Offer Store::offer() const {
  const std::lock_guard lock(mutex_);
  const Ledger& ledger = journal_->ledger();
  Offer offer{ledger.store, ledger.generation, ledger.sessions, {}};
  for (const auto& shelf : shelves_)
    if (shelf->left() > 0) offer.lots[shelf->header().lot] = shelf->position;
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
  std::uint64_t burned = 0, dropped = 0;
  for (auto& shelf : shelves_) {
    if (shelf->left() == 0) continue;
    const auto found = theirs.lots.find(shelf->header().lot);
    const std::uint64_t position = found == theirs.lots.end() ? shelf->cells() : found->second;
    dropped += found == theirs.lots.end();
    if (position > shelf->position) {
      if (found != theirs.lots.end()) burned += position - shelf->position;
      shelf->position = std::min(position, shelf->cells());
    }
    ledger.lots[shelf->header().lot] = shelf->reserved = shelf->position;
    behind_.insert(static_cast<std::size_t>(&shelf - shelves_.data()));
  }
  journal_->rewrite(std::move(ledger));
  if (dropped > 0)
    tell(std::to_string(dropped) + " lots are here and not at " + options_.peer +
         "; they cannot be used and are removed");
  if (burned > 0)
    tell(thousands(burned) + " cells that " + options_.peer + " has used are burned here too");
}

LotHeader Store::draft(const Request& segment, std::uint64_t units, std::uint32_t expanded,
                       const Id& lot) const {
  const Ledger& ledger = journal_->ledger();
  return {.store = ledger.store,
          .lot = lot,
          .generation = ledger.generation,
          .sequence = ledger.sequence + 1,
          .party = options_.party,
          .pool = pool_of(segment),
          .units = units,
          .segment_units = segment.units,
          .expanded = expanded,
          .salt = {}};
}

void Store::add(LotWriter& writer) {
  check_usable();
  writer.publish();
  const std::lock_guard lock(mutex_);
  const LotHeader& header = writer.header();
  const Record record{Record::What::added, header.lot, header.sequence};
  journal_->append({&record, 1});
  auto shelf =
      std::make_unique<Shelf>(Lot(options_.path, lot_name(header.lot), options_.key, true));
  pools_[header.pool].push_back(shelves_.size());
  shelves_.push_back(std::move(shelf));
}

void Store::set_targets(const std::map<PoolKey, std::uint64_t>& targets) {
  check_usable();
  const std::lock_guard lock(mutex_);
  Ledger ledger = journal_->ledger();
  if (ledger.targets == targets) return;
  ledger.targets = targets;
  journal_->rewrite(std::move(ledger));
}

void Store::discard() {
  check_usable();
  const std::lock_guard lock(mutex_);
  Ledger ledger = journal_->ledger();
  ++ledger.generation;
  ledger.lots.clear();
  journal_->rewrite(std::move(ledger));  // from here on no lot counts, whether it is removed or not
  for (auto& shelf : shelves_) {
    if (!shelf->gone) destroy_lot(options_.path, lot_name(shelf->header().lot));
    shelf->gone = true;
  }
  for (const std::string& name : damaged_) remove_file(options_.path + "/" + name);
  damaged_.clear();
  pools_.clear();
}

std::uint64_t Store::left(const PoolKey& pool) const {
  const auto found = pools_.find(pool);
  if (found == pools_.end()) return 0;
  std::uint64_t cells = 0;
  for (const std::size_t index : found->second) cells += shelves_[index]->left();
  return cells * cell_units(pool);
}

std::uint64_t Store::units_left(const PoolKey& pool) const {
  const std::lock_guard lock(mutex_);
  return left(pool);
}

std::vector<Piece> Store::take(const PoolKey& pool, std::uint64_t units) {
  check_usable();
  const std::lock_guard lock(mutex_);
  const std::uint64_t per_cell = cell_units(pool);
  std::vector<Piece> pieces;
  auto& lots = pools_[pool];
  while (units > 0) {
    while (!lots.empty() && shelves_[lots.front()]->left() == 0) lots.pop_front();
    check(!lots.empty(), Code::internal, "more was taken from a store than it has");
    const std::size_t index = lots.front();
    Shelf& shelf = *shelves_[index];
    const std::uint64_t per_segment = shelf.header().segment_units;
    const std::uint64_t first = shelf.position * per_cell, segment = first / per_segment;
    const std::uint64_t end = segment * per_segment + shelf.header().units_in(segment);
    const std::uint64_t n = std::min(units, end - first);
    const std::uint64_t cells = cells_for(n, per_cell);
    if (trace_)
      uses_.push_back(std::to_string(journal_->ledger().sessions) + " " + hex(shelf.header().lot) +
                      " " + std::to_string(shelf.position) + " " + std::to_string(cells) + "\n");
    shelf.position += cells;
    touched_.insert(index);
    pieces.push_back({index, segment, first - segment * per_segment, n});
    units -= n;
  }
  return pieces;
}

void Store::commit() {
  check_usable();
  {
    const std::lock_guard lock(mutex_);
    std::vector<Record> records;
    for (const std::size_t index : touched_) {
      Shelf& shelf = *shelves_[index];
      if (shelf.position <= shelf.reserved) continue;
      const std::uint64_t window =
          std::clamp<std::uint64_t>(shelf.cells() / kWindowsPerLot, 1, kWindowMax);
      shelf.reserved = std::min(shelf.cells(), shelf.position + window);
      records.push_back({Record::What::cursor, shelf.header().lot, shelf.reserved});
    }
    journal_->append(records);
    write_trace();
  }
  std::set<PoolKey> pools;
  for (const std::size_t index : touched_) pools.insert(shelves_[index]->header().pool);
  behind_.merge(touched_);
  touched_.clear();
  for (const PoolKey& pool : pools) warn_if_low(pool);
}

void Store::write_trace() {
  for (const std::string& line : uses_) {
    trace_->write(trace_offset_, std::as_bytes(std::span(line)));
    trace_offset_ += line.size();
  }
  uses_.clear();
}

std::shared_ptr<const Segment> Store::segment(const Piece& piece) {
  check_usable();
  Shelf& shelf = *shelves_[piece.lot];
  for (const auto& [index, segment] : shelf.open)
    if (index == piece.segment) return segment;
  if (!shelf.verified) {
    try {  // whole, so that no half of a damaged lot is used
      shelf.lot.verify(piece.segment);
    } catch (const Error& error) {
      if (error.code() == Code::damaged) drop(shelf, error.what());
      throw;
    }
    shelf.verified = true;
  }
  if (shelf.open.size() == kOpenMax) shelf.open.pop_front();
  shelf.open.emplace_back(piece.segment, shelf.lot.load(piece.segment));
  return shelf.open.back().second;
}

void Store::drop(Shelf& shelf, const std::string& why) {
  const std::lock_guard lock(mutex_);
  shelf.gone = true;
  const Record record{Record::What::gone, shelf.header().lot};
  journal_->append({&record, 1});
  set_aside(lot_name(shelf.header().lot), why);
}

void Store::trim() {
  const std::lock_guard lock(mutex_);
  std::vector<Record> gone;
  for (const std::size_t index : behind_) {
    Shelf& shelf = *shelves_[index];
    if (shelf.gone) continue;
    const std::uint64_t at = shelf.segment_at();
    std::erase_if(shelf.open, [&](const auto& entry) { return entry.first < at; });
    while (shelf.open.size() > 1) shelf.open.pop_front();
    if (at > shelf.erased) shelf.lot.erase(shelf.erased, at);
    shelf.erased = at;
    if (shelf.left() > 0) continue;
    shelf.gone = true;
    gone.push_back({Record::What::gone, shelf.header().lot});
  }
  behind_.clear();
  journal_->append(gone);  // first: a lot whose removal is cut short is then no damaged one
  for (const Record& record : gone) destroy_lot(options_.path, lot_name(record.lot));
}

void Store::count_online(const Request& request) {
  const PoolKey pool = pool_of(request);
  {
    const std::lock_guard lock(mutex_);
    online_[pool] += request.units;
  }
  if (can_pool(pool.kind) && warned_.insert(pool).second)
    tell("there is not enough stock of " + pool_text(pool) +
         ": it is made online, which takes longer; 'petcore prepare' makes more");
}

void Store::warn_if_low(const PoolKey& pool) {
  const auto target = journal_->ledger().targets.find(pool);
  const std::uint64_t units = units_left(pool);
  if (target == journal_->ledger().targets.end() || units >= low_mark(target->second, options_.low))
    return;
  if (warned_.insert(pool).second)
    tell("the stock of " + pool_text(pool) + " is low: " + thousands(units) + " of " +
         thousands(target->second) + " units are left; 'petcore prepare' makes more");
}

StoreStatus Store::status() const {
  const std::lock_guard lock(mutex_);
  StoreStatus status{
      journal_->ledger(), {}, damaged_, born_.here() ? lock_holder(options_.path) : 0};
  std::map<PoolKey, PoolStatus> pools;
  for (const auto& [pool, units] : status.ledger.targets) pools[pool].target = units;
  for (const auto& [pool, lots] : pools_) pools[pool].units = left(pool);
  for (const auto& [pool, units] : online_) pools[pool].online = units;
  status.pools = listed(pools, options_.low);
  return status;
}

StoreStatus Store::inspect(const std::string& path, const StoreKey& key, double low) {
  std::optional<Ledger> ledger = Journal::read(path, key);
  if (!ledger) throw Error(Code::store, path + ": holds no stock; 'petcore prepare' makes some");
  StoreStatus status{std::move(*ledger), {}, {}, lock_holder(path)};
  std::map<PoolKey, PoolStatus> pools;
  for (const auto& [pool, units] : status.ledger.targets) pools[pool].target = units;
  for (const std::string& name : list_directory(path)) {
    if (is_damaged_name(name)) status.damaged.push_back(name);
    if (!is_lot_name(name)) continue;
    try {
      const Lot lot(path, name, key, false);
      const auto used = status.ledger.lots.find(lot.header().lot);
      if (used == status.ledger.lots.end()) continue;
      const std::uint64_t cells = lot.header().num_cells();
      pools[lot.header().pool].units +=
          (cells - std::min(cells, used->second)) * cell_units(lot.header().pool);
    } catch (const Error& error) {
      if (error.code() == Code::damaged && exists(path + "/" + name))
        status.damaged.push_back(name);
    }
  }
  status.pools = listed(pools, low);
  return status;
}

}  // namespace petcore::correlation
