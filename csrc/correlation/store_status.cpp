// What a store holds, as people look at it.
#include "base/error.h"
#include "correlation/store.h"
#include "correlation/store_shelf.h"

namespace petcore::correlation {
namespace {

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

std::string thousands(std::uint64_t n) {
  std::string text = std::to_string(n);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), 1, ',');
  return text;
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
          (cells - std::min(cells, status.ledger.position(used->second))) *
          cell_units(lot.header().pool);
    } catch (const Error& error) {
      if (error.code() == Code::damaged && exists(path + "/" + name))
        status.damaged.push_back(name);
    }
  }
  status.pools = listed(pools, low);
  return status;
}

}  // namespace petcore::correlation
