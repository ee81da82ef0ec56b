#include "correlation/store_lot.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

constexpr std::string_view kMagic = "petcore lot\n";
constexpr std::uint32_t kVersion = 1;
constexpr const char* kPurpose = "petcore store lot 1";
constexpr const char* kSuffix = ".lot";
constexpr const char* kDraft = ".draft";
constexpr const char* kDamaged = ".damaged";
constexpr std::size_t kSeedBytes = 16;
constexpr std::size_t kHeaderBytes = 180;

std::size_t num_streams(const Shape& rows) { return rows.num_masks + rows.num_products; }

const Rows& rows_of(const Shape& rows, std::size_t stream) {
  return stream < rows.num_masks ? rows.masks[stream] : rows.products[stream - rows.num_masks];
}

bool is_expanded(const LotHeader& header, std::size_t stream) {
  return (header.expanded >> stream & 1) != 0;
}

Shape shape_of(const LotHeader& header) {
  return shape(segment_request(header.pool, header.segment_units));
}

// kept_bytes is what a stream of a segment takes before sealing.
std::size_t kept_bytes(const LotHeader& header, std::size_t stream, std::uint64_t units) {
  if (is_expanded(header, stream)) return kSeedBytes;
  return rows_of(shape_of(header), stream).words(units) * sizeof(std::uint64_t);
}

std::size_t segment_bytes(const LotHeader& header, std::uint64_t units) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < num_streams(shape_of(header)); ++i)
    total += kept_bytes(header, i, units);
  return total;
}

std::uint64_t segment_offset(const LotHeader& header, std::uint64_t segment) {
  const std::uint64_t first = kHeaderBytes + kTagBytes;
  if (segment == 0) return first;
  const std::uint64_t whole = segment_bytes(header, header.segment_units) + kTagBytes;
  if (segment < header.num_segments()) return first + segment * whole;
  return first + (segment - 1) * whole + segment_bytes(header, header.units_in(segment - 1)) +
         kTagBytes;
}

template <std::size_t N>
void put(ByteWriter& out, const std::array<std::byte, N>& bytes) {
  out.put_raw(bytes);
}

template <std::size_t N>
void get(ByteReader& in, std::array<std::byte, N>& bytes) {
  const ConstBytes raw = in.take(N);
  std::copy(raw.begin(), raw.end(), bytes.begin());
}

LotHeader decode(ByteReader& in) {
  LotHeader header;
  get(in, header.store), get(in, header.lot);
  header.generation = in.get<std::uint64_t>(), header.sequence = in.get<std::uint64_t>();
  header.party = in.get<std::uint32_t>();
  header.pool.kind = static_cast<Kind>(in.get<std::uint32_t>());
  for (std::uint64_t& d : header.pool.dims) d = in.get<std::uint64_t>();
  header.units = in.get<std::uint64_t>(), header.segment_units = in.get<std::uint64_t>();
  header.expanded = in.get<std::uint32_t>();
  get(in, header.salt);
  return header;
}

void take_words(ConstWords from, const Take& take) {
  switch (take.as) {
    case Take::As::plain:
      std::copy(from.begin(), from.end(), take.out.begin());
      return;
    case Take::As::plus:
      return ring::add(take.out, take.x, from);
    case Take::As::minus:
      return ring::sub(take.out, take.x, from);
    case Take::As::toggled:
      for (std::size_t i = 0; i < from.size(); ++i) take.out[i] = take.x[i] ^ from[i];
  }
}

}  // namespace

std::string hex(const Id& id) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte b : id) {
    text += kDigits[static_cast<unsigned>(b) >> 4];
    text += kDigits[static_cast<unsigned>(b) & 15];
  }
  return text;
}

std::string lot_name(const Id& lot) { return hex(lot) + kSuffix; }
bool is_lot_name(const std::string& name) { return name.ends_with(kSuffix); }
std::string damaged_name(const std::string& name) { return name + kDamaged; }
bool is_damaged_name(const std::string& name) { return name.ends_with(kDamaged); }
bool is_draft_name(const std::string& name) { return name.ends_with(kDraft); }

std::uint64_t LotHeader::units_in(std::uint64_t segment) const {
  return std::min(segment_units, units - segment * segment_units);
}

std::vector<std::byte> LotHeader::encode() const {
  ByteWriter out;
  out.put_raw(std::as_bytes(std::span(kMagic)));
  out.put(kVersion);
  put(out, store), put(out, lot);
  out.put(generation), out.put(sequence), out.put(party);
  out.put(static_cast<std::uint32_t>(pool.kind));
  for (const std::uint64_t d : pool.dims) out.put(d);
  out.put(units), out.put(segment_units), out.put(expanded);
  put(out, salt);
  return out.bytes();
}

Segment::Segment(const LotHeader& header, std::uint64_t index, ConstBytes plain)
    : units_(header.units_in(index)) {
  const std::size_t count = num_streams(shape_of(header));
  prgs_.resize(count), words_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const ConstBytes kept = plain.first(kept_bytes(header, i, units_));
    plain = plain.subspan(kept.size());
    if (is_expanded(header, i)) {
      prg::Seed seed;
      std::copy(kept.begin(), kept.end(), seed.begin());
      prgs_[i].emplace(seed);
      wipe(seed.data(), seed.size());
    } else {
      words_[i] = Buffer<std::uint64_t>(kept.size() / sizeof(std::uint64_t));
      if (!kept.empty()) std::memcpy(words_[i].data(), kept.data(), kept.size());
    }
  }
}

void Segment::take(std::size_t stream, std::uint64_t first, const Take& take, Pool& pool) const {
  if (prgs_[stream]) return correlation::take_words(*prgs_[stream], first, take, pool);
  take_words(words_[stream].span().subspan(first, take.out.size()), take);
}

LotWriter::LotWriter(const std::string& directory, const StoreKey& key, LotHeader header)
    : header_(std::move(header)), directory_(directory) {
  header_.salt = random_salt();
  const std::vector<std::byte> clear = header_.encode();
  check(clear.size() == kHeaderBytes, Code::internal, "the header of a lot has another size");
  file_ = File::create(directory + "/" + hex(header_.lot) + kDraft);
  sealer_.emplace(key, header_.salt, kPurpose, clear);
  std::array<std::byte, kTagBytes> tag;
  sealer_->seal(0, {}, tag);
  file_.write(0, clear);
  file_.write(kHeaderBytes, tag);
  offset_ = kHeaderBytes + kTagBytes;
}

LotWriter::~LotWriter() {
  if (published_) return;
  try {
    remove_file(file_.path());
  } catch (const Error&) {  // a draft that stays is removed by the next who opens the store
  }
}

void LotWriter::write(std::span<const Buffer<std::uint64_t>> streams) {
  const std::uint64_t units = header_.units_in(next_);
  Buffer<std::byte> plain(segment_bytes(header_, units)), sealed(plain.size() + kTagBytes);
  std::size_t at = 0;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const ConstBytes kept = std::as_bytes(streams[i].span());
    check(kept.size() == kept_bytes(header_, i, units), Code::internal,
          "a stream does not fit its segment");
    if (!kept.empty()) std::memcpy(plain.data() + at, kept.data(), kept.size());
    at += kept.size();
  }
  check(at == plain.size(), Code::internal, "a segment lacks a stream");
  sealer_->seal(++next_, plain.span(), sealed.span());
  file_.write(offset_, sealed.span());
  offset_ += sealed.size();
}

void LotWriter::sync() {
  check(next_ == header_.num_segments(), Code::internal, "a lot lacks a segment");
  file_.sync();
}

void LotWriter::publish() {
  rename_file(file_.path(), directory_ + "/" + lot_name(header_.lot));
  published_ = true;
}

Lot::Lot(const std::string& directory, const std::string& name, const StoreKey& key,
         bool for_writing)
    : file_(File::open(directory + "/" + name, for_writing)) {
  std::vector<std::byte> clear(kHeaderBytes);
  if (!file_.read(0, clear)) damaged("it ends inside its header");
  ByteReader in(clear);
  const ConstBytes magic = in.take(kMagic.size());
  if (std::memcmp(magic.data(), kMagic.data(), kMagic.size()) != 0)
    damaged("it does not begin as a lot does");
  if (const auto version = in.get<std::uint32_t>(); version != kVersion)
    throw Error(Code::store, file_.path() + ": has version " + std::to_string(version) +
                                 " of the format; this petcore reads version " +
                                 std::to_string(kVersion) + ": use the release that made it");
  header_ = decode(in);
  sealer_.emplace(key, header_.salt, kPurpose, clear);
  std::array<std::byte, kTagBytes> tag;
  if (!file_.read(kHeaderBytes, tag)) damaged("it ends inside its header");
  if (!sealer_->open(0, tag, {}) || lot_name(header_.lot) != name)
    damaged("its header was changed");  // from here on the header is to be trusted
  const std::uint64_t expected = segment_offset(header_, header_.num_segments());
  if (file_.size() != expected)
    damaged("it has " + std::to_string(file_.size()) + " bytes where there were " +
            std::to_string(expected));
}

void Lot::damaged(const std::string& what) const {
  throw Error(Code::damaged, file_.path() + ": " + what +
                                 "; nothing of this lot will be used; 'petcore prepare' makes new "
                                 "stock");
}

Buffer<std::byte> Lot::open_segment(std::uint64_t segment) {
  Buffer<std::byte> plain(segment_bytes(header_, header_.units_in(segment)));
  Buffer<std::byte> sealed(plain.size() + kTagBytes);
  if (!file_.read(segment_offset(header_, segment), sealed.span())) damaged("it was cut short");
  if (!sealer_->open(segment + 1, sealed.span(), plain.span()))
    damaged("segment " + std::to_string(segment) + " was changed");
  return plain;
}

void Lot::verify(std::uint64_t from) {
  for (std::uint64_t i = from; i < header_.num_segments(); ++i) open_segment(i);
}

std::unique_ptr<Segment> Lot::load(std::uint64_t segment) {
  return std::make_unique<Segment>(header_, segment, open_segment(segment).span());
}

void Lot::erase(std::uint64_t begin, std::uint64_t end) {
  constexpr std::size_t kStep = std::size_t{1} << 16;
  constexpr std::array<std::byte, kTagBytes> kNothing{};
  const std::vector<std::byte> zeros(kStep);
  std::array<std::byte, kTagBytes> first;
  for (std::uint64_t i = begin; i < end; ++i) {
    std::uint64_t at = segment_offset(header_, i);
    const std::uint64_t to = segment_offset(header_, i + 1);
    if (file_.read(at, first) && first == kNothing) continue;
    while (at < to) {
      const std::size_t step = std::min<std::uint64_t>(kStep, to - at);
      file_.write(at, ConstBytes(zeros).first(step));
      at += step;
    }
  }
}

void destroy_lot(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  if (!exists(path)) return;
  const std::vector<std::byte> zeros(kHeaderBytes + kTagBytes);
  File file = File::open(path, true);
  // The header alone: without its salt no part of the file opens, whatever is left of it.
  file.write_through(0, zeros);
  remove_file(path);
}

}  // namespace petcore::correlation
