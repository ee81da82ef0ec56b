// Store: correlations made ahead and kept on disk, each for use once.
//
// Single use. Both parties take the same cells of the same lots in the same order. Nothing of a lot
// is handed out before it is granted: noted as set aside on this party's disk, and on the peer's,
// which the peer has said (commit, settle_stores). Grants go a window ahead, so that few operations
// wait for the disk and the peer. A cell is handed out once by one process: one process may have a
// store open, and a child of fork() may not use its copy.
//
// Why nothing is used twice, whatever crashes and whichever one of the two is put back to an
// earlier moment (a backup, a clone or a snapshot of the machine), however often. What this party
// has ever used of a lot lies below a grant that the peer's disk holds as well, in a session that
// the peer's disk knows; grants there never fall but in settle. When the parties meet, they go on
//   - from the higher of their two grants in every lot, since only the peer may remember; or
//   - where both stores say that the last session ended in order, and mean the same one by its
//   random
//     name, from the higher of their two positions: had either used anything later, it would have
//     been in a session of another name, which the other's disk would know.
// A session that lost its link did not end in order: who was put back in the middle of it, memory
// and all, ends so, and so does the peer. It loses what was granted and not used, as a crash does.
// Two parties that are *both* put back cannot notice: then discard the stock at both.
//
// Erasing. What was used is overwritten in place and a used lot is removed. What the file system or
// the disk keeps elsewhere (copies on write, snapshots, spare blocks, backups) stays there, sealed.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/process.h"
#include "correlation/store_journal.h"
#include "correlation/store_lot.h"

namespace petcore::correlation {

struct StoreOptions {
  std::string path;  // of the directory; made if need be
  StoreKey key;
  std::uint32_t party = 0;
  std::string owner, peer;
  double low = 0.25;  // of what the last plan asked for: below that a pool is low
  std::string trace;  // a file that gets a line per use, or empty
  std::function<void(const std::string&)> tell = {};  // what a person should know
};

struct PoolStatus {
  PoolKey pool{};
  std::uint64_t units = 0;   // left
  std::uint64_t target = 0;  // what the last plan asked for
  std::uint64_t mark = 0;    // below it the pool is low
  std::uint64_t online = 0;  // made online since the store was opened, for want of stock
  bool low = false;
};

struct StoreStatus {
  Ledger ledger;
  std::vector<PoolStatus> pools;
  std::vector<std::string> damaged;  // files
  std::int64_t holder = 0;           // the process that has it open, or 0
};

// Offer is what the parties tell each other of their stores when they meet.
struct Offer {
  Id store{};
  std::uint64_t generation = 0, sessions = 0;
  Id last{};
  bool ended = true;
  std::map<Id, Used> lots;  // of which something is left
};

// Piece: some units of one segment, for one request.
struct Piece {
  std::size_t lot;  // index into the store's lots
  std::uint64_t segment, first, units;
};

class Store {
 public:
  explicit Store(StoreOptions options);
  ~Store();
  // close lets other processes open the store. Where the session ended in order it gives back what
  // was granted and not used: no link was lost, and all that this process used is behind it.
  void close(bool in_order) noexcept;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // inspect looks at a store that another process may be using; it changes nothing.
  static StoreStatus inspect(const std::string& path, const StoreKey& key, double low);
  StoreStatus status() const;

  // The parties meet: both offer, then both settle with the other's offer. `fresh` names the
  // session and is known to no other; two stores without stock take it too. Raises Code::handshake
  // where the two stores do not belong together. It grants a little of every pool: nothing may be
  // taken before the peer has said that it has settled.
  Offer offer() const;
  void settle(const Offer& theirs, const Id& fresh);

  // Making: draft begins a lot; add publishes it and makes it part of the stock.
  LotHeader draft(const Request& segment, std::uint64_t units, std::uint32_t expanded,
                  const Id& lot) const;
  const StoreKey& key() const { return options_.key; }
  const std::string& path() const { return options_.path; }
  void add(LotWriter& lot);
  void set_targets(const std::map<PoolKey, std::uint64_t>& targets);
  // discard throws the whole stock away; the peer must do the same.
  void discard();

  // Taking: take sets cells aside in memory, in pieces of at most a segment; nothing of them may be
  // looked at before commit has them granted. Where they are not yet, it makes that durable, then
  // calls agree with the sum of the grants, which returns once the peer has said the same. trim
  // erases what lies behind.
  using Agree = std::function<void(std::uint64_t granted)>;
  std::uint64_t units_left(const PoolKey& pool) const;
  std::vector<Piece> take(const PoolKey& pool, std::uint64_t units);
  void commit(const Agree& agree);
  std::shared_ptr<const Segment> segment(const Piece& piece);
  void trim();
  void count_online(const Request& request);

 private:
  struct Shelf;  // a lot that is open
  void open_lots();
  bool open_lot(const std::string& name, const Used& used);
  void set_aside(const std::string& name, const std::string& why);
  void drop(Shelf& shelf, const std::string& why);
  void check_usable() const;
  std::optional<std::uint64_t> grant();
  void grant_first();
  void burn(const Offer& theirs, bool in_order);
  void check_together(const Offer& theirs) const;
  void warn_if_low(const PoolKey& pool);
  std::uint64_t left(const PoolKey& pool) const;
  void tell(const std::string& text) const;
  void write_trace();

  const Born born_;
  const StoreOptions options_;
  std::optional<Lock> lock_;
  std::optional<Journal> journal_;
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Shelf>> shelves_;       // never moved: pieces name them by index
  std::map<PoolKey, std::deque<std::size_t>> pools_;  // what is left, in the order of use
  std::map<PoolKey, std::uint64_t> online_;
  std::set<PoolKey> warned_;
  std::set<std::size_t> touched_;  // since the last commit
  std::set<std::size_t> behind_;   // to trim
  std::vector<std::string> uses_;  // lines for the trace
  std::vector<std::string> damaged_;
  std::optional<File> trace_;
  std::uint64_t trace_offset_ = 0;
  bool settled_ = false, closed_ = false;
};

}  // namespace petcore::correlation
