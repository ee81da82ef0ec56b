#include "correlation/store_journal.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace petcore::correlation {
namespace {

constexpr std::string_view kMagic = "petcore stock\n\n\n";
constexpr std::uint32_t kVersion = 2;
constexpr const char* kPurpose = "petcore store journal 1";
constexpr const char* kCheckPurpose = "petcore store key check 1";
constexpr const char* kName = "/journal";
constexpr const char* kDraft = "/journal.draft";
constexpr std::size_t kCheckBytes = 16;
constexpr std::size_t kClearBytes = 16 + 4 + 32 + kCheckBytes + 8;  // before the snapshot
constexpr std::size_t kRecordPlain = 32;
constexpr std::size_t kRecordBytes = kRecordPlain + kTagBytes;
// The records of one file; room for them is taken when it begins, so that a disk that fills up
// later stops nobody in the middle of a session.
constexpr std::uint64_t kRecordsMax = 4096;
constexpr std::size_t kSnapshotMax = std::size_t{1} << 26;
constexpr std::size_t kNameMax = 256;

[[noreturn]] void damaged(const std::string& path, const char* what) {
  throw Error(Code::damaged,
              path + ": " + what +
                  "; how far the stock is used up is unknown, so none of it will be used: "
                  "'petcore stock --discard' at both parties, then 'petcore prepare'");
}

void put(ByteWriter& out, const Id& id) { out.put_raw(id); }
Id get_id(ByteReader& in) {
  Id id;
  const ConstBytes raw = in.take(id.size());
  std::copy(raw.begin(), raw.end(), id.begin());
  return id;
}

std::vector<std::byte> encode(const Ledger& ledger) {
  ByteWriter out;
  put(out, ledger.store);
  out.put(ledger.generation), out.put(ledger.sessions), out.put(ledger.sequence);
  put(out, ledger.last), out.put(static_cast<std::uint32_t>(ledger.ended));
  out.put(ledger.party);
  out.put_string(ledger.owner), out.put_string(ledger.peer);
  out.put(static_cast<std::uint64_t>(ledger.targets.size()));
  for (const auto& [pool, units] : ledger.targets) {
    out.put(static_cast<std::uint32_t>(pool.kind));
    for (const std::uint64_t d : pool.dims) out.put(d);
    out.put(units);
  }
  out.put(static_cast<std::uint64_t>(ledger.lots.size()));
  for (const auto& [lot, used] : ledger.lots)
    put(out, lot), out.put(used.position), out.put(used.granted);
  return out.bytes();
}

Ledger decode(ConstBytes bytes) {
  ByteReader in(bytes);
  Ledger ledger;
  ledger.store = get_id(in);
  ledger.generation = in.get<std::uint64_t>(), ledger.sessions = in.get<std::uint64_t>();
  ledger.sequence = in.get<std::uint64_t>();
  ledger.last = get_id(in), ledger.ended = in.get<std::uint32_t>() != 0;
  ledger.party = in.get<std::uint32_t>();
  ledger.owner = in.get_string(kNameMax), ledger.peer = in.get_string(kNameMax);
  for (auto n = in.get<std::uint64_t>(); n > 0; --n) {
    PoolKey pool{static_cast<Kind>(in.get<std::uint32_t>())};
    for (std::uint64_t& d : pool.dims) d = in.get<std::uint64_t>();
    ledger.targets[pool] = in.get<std::uint64_t>();
  }
  for (auto n = in.get<std::uint64_t>(); n > 0; --n) {
    const Id lot = get_id(in);
    Used& used = ledger.lots[lot];
    used.position = in.get<std::uint64_t>(), used.granted = in.get<std::uint64_t>();
  }
  in.expect_end();
  return ledger;
}

void apply(Ledger& ledger, const Record& record) {
  switch (record.what) {
    case Record::What::granted:
      ledger.lots[record.lot].granted = record.value;
      return;
    case Record::What::added:
      ledger.lots[record.lot] = {};
      ledger.sequence = std::max(ledger.sequence, record.value);
      return;
    case Record::What::gone:
      ledger.lots.erase(record.lot);
      return;
    case Record::What::returned:
      ledger.lots[record.lot].position = record.value;
      return;
    case Record::What::ended:
      ledger.ended = true;
  }
}

std::array<std::byte, kRecordPlain> encode(const Record& record) {
  std::array<std::byte, kRecordPlain> plain{};
  store_le(plain.data(), static_cast<std::uint64_t>(record.what));
  std::copy(record.lot.begin(), record.lot.end(), plain.begin() + 8);
  store_le(plain.data() + 24, record.value);
  return plain;
}

Record decode_record(const std::array<std::byte, kRecordPlain>& plain) {
  Record record{static_cast<Record::What>(load_le<std::uint64_t>(plain.data()))};
  std::copy_n(plain.begin() + 8, record.lot.size(), record.lot.begin());
  record.value = load_le<std::uint64_t>(plain.data() + 24);
  return record;
}

// What stands before the snapshot: magic, version, salt, a check of the key, the snapshot's size.
std::vector<std::byte> clear_part(const StoreKey& key, const Salt& salt, std::uint64_t size) {
  std::array<std::byte, kCheckBytes> check_bytes;
  key.derive(check_bytes, salt, kCheckPurpose, {});
  ByteWriter out;
  out.put_raw(std::as_bytes(std::span(kMagic)));
  out.put(kVersion);
  out.put_raw(salt);
  out.put_raw(check_bytes);
  out.put(size);
  return out.bytes();
}

// replay applies the records; the end is where nothing was ever written, or was cut short.
void replay(Ledger& ledger, Sealer& sealer, const File& file, std::uint64_t offset) {
  std::array<std::byte, kRecordBytes> sealed, next;
  std::array<std::byte, kRecordPlain> plain;
  constexpr std::array<std::byte, kRecordBytes> kNothing{};
  for (std::uint64_t i = 1; i <= kRecordsMax; ++i, offset += kRecordBytes) {
    if (!file.read(offset, sealed) || sealed == kNothing) return;
    if (sealer.open(i, sealed, plain)) {
      apply(ledger, decode_record(plain));
      continue;
    }
    // A page at a time reaches the disk, so that records of one append may be cut at any of them;
    // none was relied on. A record that opens behind one that does not is no crash.
    for (std::uint64_t j = i + 1; j <= kRecordsMax; ++j) {
      offset += kRecordBytes;
      if (!file.read(offset, next) || next == kNothing) continue;
      if (sealer.open(j, next, plain)) damaged(file.path(), "a record was changed");
    }
    return;
  }
}

}  // namespace

std::optional<Ledger> Journal::read(const std::string& directory, const StoreKey& key) {
  const std::string path = directory + kName;
  if (!exists(path)) return std::nullopt;
  const File file = File::open(path, false);
  std::vector<std::byte> clear(kClearBytes);
  if (!file.read(0, clear)) damaged(path, "it ends inside its header");
  ByteReader in(clear);
  const ConstBytes magic = in.take(kMagic.size());
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    damaged(path, "it does not begin as a journal does");
  if (const auto version = in.get<std::uint32_t>(); version != kVersion)
    throw Error(Code::store, path + ": has version " + std::to_string(version) +
                                 " of the format; this petcore reads version " +
                                 std::to_string(kVersion) + ": use the release that made it");
  Salt salt;
  const ConstBytes raw_salt = in.take(salt.size());
  std::copy(raw_salt.begin(), raw_salt.end(), salt.begin());
  const ConstBytes given = in.take(kCheckBytes);
  std::array<std::byte, kCheckBytes> expected;
  key.derive(expected, salt, kCheckPurpose, {});
  if (!std::equal(given.begin(), given.end(), expected.begin()))
    throw Error(Code::store_key, path +
                                     ": is sealed under another key; give the key that the "
                                     "store was made with");
  const auto size = in.get<std::uint64_t>();
  if (size > kSnapshotMax || file.size() < kClearBytes + size + kTagBytes)
    damaged(path, "it ends inside its snapshot");
  Sealer sealer(key, salt, kPurpose, clear);
  std::vector<std::byte> sealed(size + kTagBytes), plain(size);
  if (!file.read(kClearBytes, sealed) || !sealer.open(0, sealed, plain))
    damaged(path, "its snapshot was changed");
  Ledger ledger = decode(plain);
  replay(ledger, sealer, file, kClearBytes + sealed.size());
  return ledger;
}

Journal::Journal(const std::string& directory, const StoreKey& key, Ledger ledger)
    : directory_(directory), key_(key), ledger_(std::move(ledger)) {
  begin();
}

void Journal::begin() {
  const Salt salt = random_salt();
  const std::vector<std::byte> snapshot = encode(ledger_);
  check(snapshot.size() <= kSnapshotMax, Code::store, "a store has more lots than a journal holds");
  const std::vector<std::byte> clear = clear_part(key_, salt, snapshot.size());
  std::vector<std::byte> sealed(snapshot.size() + kTagBytes);
  Sealer sealer(key_, salt, kPurpose, clear);
  sealer.seal(0, snapshot, sealed);
  File file = File::create(directory_ + kDraft);
  file.write(0, clear);
  file.write(clear.size(), sealed);
  const std::vector<std::byte> room(kRecordsMax * kRecordBytes);
  file.write(clear.size() + sealed.size(), room);
  file.sync();
  rename_file(file.path(), directory_ + kName);
  offset_ = clear.size() + sealed.size();
  file_ = std::move(file);
  sealer_.emplace(std::move(sealer));
  next_ = 1;
}

void Journal::append(std::span<const Record> records) {
  check(!failed_, Code::store, "the journal of the store could not be written earlier");
  if (records.empty()) return;
  failed_ = true;  // until the end is reached
  if (next_ + records.size() > kRecordsMax + 1) {
    for (const Record& record : records) apply(ledger_, record);
    begin();
    failed_ = false;
    return;
  }
  std::vector<std::byte> sealed(records.size() * kRecordBytes);
  for (std::size_t i = 0; i < records.size(); ++i)
    sealer_->seal(next_ + i, encode(records[i]),
                  Bytes(sealed).subspan(i * kRecordBytes, kRecordBytes));
  next_ += records.size();
  file_.write(offset_, sealed);
  file_.sync();
  offset_ += sealed.size();
  for (const Record& record : records) apply(ledger_, record);
  failed_ = false;
}

void Journal::rewrite(Ledger ledger) {
  check(!failed_, Code::store, "the journal of the store could not be written earlier");
  failed_ = true;
  ledger_ = std::move(ledger);
  begin();
  failed_ = false;
}

}  // namespace petcore::correlation
