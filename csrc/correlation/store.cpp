#include "correlation/store.h"

#include <algorithm>

#include "base/error.h"
#include "correlation/store_shelf.h"

namespace petcore::correlation {
namespace {

// A window is so many times what was just taken of a lot, within these parts of what is left of it,
// and not fewer cells than that. A crash loses it.
constexpr std::uint64_t kWindowTimes = 8;
constexpr std::uint64_t kWindowsMax = 32, kWindowsLeast = 8;
constexpr std::uint64_t kWindowMin = 4;
// Segments of one lot that are kept open at most, while chunks of an operation overlap.
constexpr std::size_t kOpenMax = 16;

}  // namespace

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

Store::~Store() { close(false); }

void Store::close(bool in_order) noexcept {
  if (!born_.here()) return;
  const std::lock_guard lock(mutex_);
  if (std::exchange(closed_, true)) return;
  try {
    std::vector<Record> records;
    for (const auto& shelf : shelves_)
      if (!shelf->gone)
        records.push_back({Record::What::returned, shelf->header().lot, shelf->position});
    records.push_back({Record::What::ended});  // last: without it the others count for nothing
    if (in_order && settled_) journal_->append(records);
  } catch (const Error&) {  // it stays granted: lost, never used twice
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
  std::map<std::string, Used> known;  // by file name
  for (const auto& [lot, used] : ledger.lots)
    known.emplace(lot_name(lot), Used{ledger.position(used), used.granted});
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
  for (const auto& [lot, used] : ledger.lots)
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

bool Store::open_lot(const std::string& name, const Used& used) {
  try {
    auto shelf = std::make_unique<Shelf>(Lot(options_.path, name, options_.key, true));
    shelf->position = used.position, shelf->granted = used.granted;
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
    shelf.position += cells, shelf.taken += cells;
    touched_.insert(index);
    pieces.push_back({index, segment, first - segment * per_segment, n});
    units -= n;
  }
  return pieces;
}

void Store::commit(const Agree& agree) {
  check_usable();
  if (const auto granted = grant()) agree(*granted);
  for (const std::size_t index : touched_) shelves_[index]->taken = 0;
  write_trace();
  std::set<PoolKey> pools;
  for (const std::size_t index : touched_) pools.insert(shelves_[index]->header().pool);
  behind_.merge(touched_);
  touched_.clear();
  for (const PoolKey& pool : pools) warn_if_low(pool);
}

// Both parties come to the same grants, from the same positions.
std::optional<std::uint64_t> Store::grant() {
  const std::lock_guard lock(mutex_);
  std::vector<Record> records;
  std::uint64_t sum = 0;
  for (const std::size_t index : touched_) {
    Shelf& shelf = *shelves_[index];
    if (shelf.position <= shelf.granted) continue;
    const std::uint64_t left = shelf.left();
    const std::uint64_t window =
        std::clamp(shelf.taken * kWindowTimes, left / kWindowsMax, left / kWindowsLeast);
    const std::uint64_t granted =
        std::min(shelf.cells(), shelf.position + std::max(window, kWindowMin));
    records.push_back({Record::What::granted, shelf.header().lot, granted});
    sum += granted;
  }
  if (records.empty()) return std::nullopt;
  journal_->append(records);
  for (const std::size_t index : touched_) {
    Shelf& shelf = *shelves_[index];
    shelf.granted = journal_->ledger().lots.at(shelf.header().lot).granted;
  }
  return sum;
}

void Store::write_trace() {
  const std::lock_guard lock(mutex_);
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

}  // namespace petcore::correlation
