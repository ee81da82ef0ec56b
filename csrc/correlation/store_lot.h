// A lot: one file of correlations of one pool, one party's side of it.
//
// Of every segment it keeps the seeds of the streams that this party expands and the words of the
// others, sealed on their own (store_seal.h). What a seed stands for needs 16 bytes whatever its
// length. A lot is made under another name and gets its own when it is whole and on the disk.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/pool.h"
#include "correlation/store_disk.h"
#include "correlation/store_pool.h"
#include "correlation/store_seal.h"
#include "correlation/streams.h"

namespace petcore::correlation {

using Id = std::array<std::byte, 16>;
std::string hex(const Id& id);

// LotHeader stands at the front of the file, in clear.
struct LotHeader {
  Id store{}, lot{};
  std::uint64_t generation = 0, sequence = 0;
  std::uint32_t party = 0;
  PoolKey pool{};
  std::uint64_t units = 0, segment_units = 0;
  std::uint32_t expanded = 0;  // one bit per stream, masks first: kept as a seed
  Salt salt{};

  std::uint64_t num_segments() const { return (units + segment_units - 1) / segment_units; }
  std::uint64_t num_cells() const { return cells_for(units, cell_units(pool)); }
  std::uint64_t units_in(std::uint64_t segment) const;
  std::vector<std::byte> encode() const;
};

// Segment: an open segment in memory, from which any of its units can be taken.
class Segment {
 public:
  Segment(const LotHeader& header, std::uint64_t index, ConstBytes plain);

  // Gives words [first, first + take.out.size()) of a stream; masks come first, then products.
  void take(std::size_t stream, std::uint64_t first, const Take& take, Pool& pool) const;
  std::uint64_t units() const { return units_; }

 private:
  std::uint64_t units_;
  std::vector<std::optional<prg::Prg>> prgs_;
  std::vector<Buffer<std::uint64_t>> words_;
};

class LotWriter {
 public:
  // header.salt is drawn here. Segments are written in order, each once.
  LotWriter(const std::string& directory, const StoreKey& key, LotHeader header);
  ~LotWriter();

  // streams: for each stream its words, or where the header says so its seed as two words.
  void write(std::span<const Buffer<std::uint64_t>> streams);
  // sync: all segments are on the disk. publish gives the file its name.
  void sync();
  void publish();
  const LotHeader& header() const { return header_; }

 private:
  LotHeader header_;
  std::string directory_;
  File file_;
  std::optional<Sealer> sealer_;
  std::uint64_t next_ = 0, offset_ = 0;
  bool published_ = false;
};

class Lot {
 public:
  // Opens the lot of that file name. Raises Code::damaged where the header, the length or the seal
  // is not what was written, Code::store for another version.
  Lot(const std::string& directory, const std::string& name, const StoreKey& key, bool for_writing);

  const LotHeader& header() const { return header_; }
  // verify opens every segment from one on; Code::damaged if any of them does not.
  void verify(std::uint64_t from);
  std::unique_ptr<Segment> load(std::uint64_t segment);
  // erase overwrites segments [begin, end) that are not yet.
  void erase(std::uint64_t begin, std::uint64_t end);

 private:
  Buffer<std::byte> open_segment(std::uint64_t segment);
  [[noreturn]] void damaged(const std::string& what) const;
  LotHeader header_;
  File file_;
  std::optional<Sealer> sealer_;
};

// destroy_lot overwrites the header of a lot, without which nothing of it opens, and removes it.
void destroy_lot(const std::string& directory, const std::string& name);

std::string lot_name(const Id& lot);
bool is_lot_name(const std::string& name);
bool is_draft_name(const std::string& name);
// A damaged lot is set aside under another name, for whoever wants to know why.
std::string damaged_name(const std::string& name);
bool is_damaged_name(const std::string& name);

}  // namespace petcore::correlation
