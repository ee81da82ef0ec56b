// The journal of a store: who it belongs to, which lots it has, and how far each is used up.
//
// One file: a snapshot, then a record for every change since, each sealed under its place. A change
// is durable when append returns, and only then may anything be done that relies on it. Each
// opening for writing begins a new file with a new salt, so that a record which a crash cut short
// is never written again under the same nonce; records that a crash cut short at the end were never
// relied on and are left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "correlation/store_disk.h"
#include "correlation/store_lot.h"
#include "correlation/store_seal.h"

namespace petcore::correlation {

// Used is how far a lot is used up, in cells.
struct Used {
  std::uint64_t position = 0;  // that were used, where the last session ended in order
  std::uint64_t granted = 0;   // that were set aside for use: no other may have been used
};

// Ledger is what a journal says.
struct Ledger {
  Id store{};                    // the same at both parties
  std::uint64_t generation = 0;  // how often the stock was thrown away whole
  std::uint64_t sessions = 0;    // that were opened with this store
  Id last{};                     // of these sessions; known to its two parties alone
  bool ended = true;             // in order: it gave back what was granted and not used
  std::uint64_t sequence = 0;    // of the last lot that was made
  std::uint32_t party = 0;
  std::string owner, peer;
  std::map<PoolKey, std::uint64_t> targets;  // units that the last plan asked for
  std::map<Id, Used> lots;

  std::uint64_t position(const Used& lot) const { return ended ? lot.position : lot.granted; }
};

struct Record {
  enum class What : std::uint64_t { granted = 1, added, gone, returned, ended };
  What what;
  Id lot{};
  std::uint64_t value = 0;
};

class Journal {
 public:
  // Reads the ledger; nullopt where there is none. Raises Code::store_key, Code::damaged,
  // Code::store.
  static std::optional<Ledger> read(const std::string& directory, const StoreKey& key);

  // Begins a new file with this ledger, in place of the old one.
  Journal(const std::string& directory, const StoreKey& key, Ledger ledger);

  const Ledger& ledger() const { return ledger_; }
  // append changes the ledger and is durable when it returns. After a failure the journal takes
  // nothing more: what the disk holds then is unknown.
  void append(std::span<const Record> records);
  // rewrite is for what no record says: generation, session, targets.
  void rewrite(Ledger ledger);

 private:
  void begin();
  std::string directory_;
  const StoreKey& key_;
  Ledger ledger_;
  File file_;
  std::optional<Sealer> sealer_;
  std::uint64_t next_ = 0, offset_ = 0;  // of records
  bool failed_ = false;
};

}  // namespace petcore::correlation
