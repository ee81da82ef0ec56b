#include "correlation/store_source.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "correlation/store_making.h"
#include "ring/ring.h"

namespace petcore::correlation {
namespace {

constexpr std::uint64_t kWordBits = 64;

const Rows& rows_of(const Shape& rows, std::size_t stream) {
  return stream < rows.num_masks ? rows.masks[stream] : rows.products[stream - rows.num_masks];
}

// Span: units [to, to + units) of a chunk are units [from, from + units) of a segment.
struct Span {
  std::uint64_t from, to, units;
};

// Rows that are padded begin and end at whole words on both sides: cells are cut so.
void take_padded(const Segment& segment, std::size_t stream, const Rows& rows,
                 std::uint64_t chunk_units, const Span& span, const Take& take, Pool& pool) {
  const Rows row{1, rows.bits};
  const std::uint64_t words = row.words(span.units);
  for (std::uint64_t r = 0; r < rows.count; ++r) {
    const std::uint64_t to = r * row.words(chunk_units) + span.to * rows.bits / kWordBits;
    const std::uint64_t from = r * row.words(segment.units()) + span.from * rows.bits / kWordBits;
    const ConstWords x = take.x.empty() ? take.x : take.x.subspan(to, words);
    segment.take(stream, from, {take.as, take.out.subspan(to, words), x}, pool);
  }
}

// Joined rows begin at whole bytes in the chunk.
void take_joined(const Segment& segment, std::size_t stream, const Rows& rows,
                 std::uint64_t chunk_units, const Span& span, Words out, Pool& pool) {
  Buffer<std::uint64_t> row(Rows{1, rows.bits}.words(span.units));
  auto* bytes = reinterpret_cast<std::byte*>(out.data());
  for (std::uint64_t r = 0; r < rows.count; ++r) {
    const std::uint64_t from = (r * segment.units() + span.from) * rows.bits / kWordBits;
    segment.take(stream, from, row.span(), pool);
    std::memcpy(bytes + (r * chunk_units + span.to) * rows.bits / 8, row.data(),
                span.units * rows.bits / 8);
  }
}

std::uint64_t in_whole_cells(const Request& request) {
  const std::uint64_t cell = cell_units(pool_of(request));
  return cells_for(request.units, cell) * cell;
}

}  // namespace

StoreSource::StoreSource(std::shared_ptr<Store> store, std::shared_ptr<net::Channel> peer,
                         std::unique_ptr<Source> maker, std::optional<prg::Seed> lots, Pool& pool)
    : store_(std::move(store)),
      peer_(std::move(peer)),
      maker_(std::move(maker)),
      lots_(lots),
      pool_(pool) {}

StoreSource::~StoreSource() {
  if (lots_) wipe(lots_->data(), lots_->size());
}

void StoreSource::restock(const net::Step& step, std::span<const Request> requests) {
  std::map<PoolKey, std::pair<const Request*, std::uint64_t>> wanted;
  for (const Request& request : requests) {
    if (!can_pool(request.kind)) continue;
    auto& [example, units] = wanted[pool_of(request)];
    example = &request;
    units += in_whole_cells(request);
  }
  for (const auto& [pool, entry] : wanted) {
    const auto& [example, units] = entry;
    const std::uint64_t have = store_->units_left(pool);
    if (units <= have) continue;
    const Order order{*example, units - have};
    make_lot(*store_, *maker_, step, order, prg::derive(*lots_, {++lots_made_, 0, 0, 0, 0, 0}));
    usage_.offline_bytes = maker_->usage().offline_bytes;
    store_->count_online(*example);
  }
}

void StoreSource::agree(const net::Step& step, std::uint64_t granted) {
  std::array<std::byte, sizeof granted> mine, theirs;
  store_le(mine.data(), granted);
  peer_->exchange(step, mine, theirs);
  if (mine == theirs) return;
  throw Error(Code::step, "the peer takes another part of the stock than this party",
              peer_->peer().name, peer_->peer().address, step.what);
}

bool StoreSource::Batch::done() const {
  const std::uint64_t chunks = request.num_chunks();
  return masks_taken == chunks && (products_taken == chunks || rows.num_products == 0);
}

void StoreSource::refuse(const Request& request) const {
  const PoolKey pool = pool_of(request);
  if (!can_pool(request.kind))
    throw Error(Code::exhausted,
                "a matrix that is masked for several products takes correlations that no store "
                "holds; multiply it anew each time, or set at_zero = make");
  throw Error(Code::exhausted, "the store has " + std::to_string(store_->units_left(pool)) +
                                   " units of " + pool_text(pool) + " and this takes " +
                                   std::to_string(in_whole_cells(request)) +
                                   ": make more with 'petcore prepare', or set at_zero = make");
}

void StoreSource::plan(const net::Step& step, std::span<Request> requests) {
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
  if (lots_) restock(step, requests);
  std::map<PoolKey, std::uint64_t> planned;
  std::vector<bool> online;
  for (const Request& request : requests) {
    const PoolKey pool = pool_of(request);
    std::uint64_t& units = planned[pool];
    const bool stocked =
        can_pool(request.kind) && units + in_whole_cells(request) <= store_->units_left(pool);
    if (stocked) units += in_whole_cells(request);
    if (!stocked && maker_ == nullptr) refuse(request);
    online.push_back(!stocked);
  }
  std::vector<Request> made;
  for (std::size_t i = 0; i < requests.size(); ++i)
    if (online[i]) made.push_back(requests[i]);
  if (!made.empty()) maker_->plan(step, made);
  auto next = made.begin();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Request& request = requests[i];
    std::vector<Piece> pieces;
    if (online[i]) {
      request = *next++;
      store_->count_online(request);
    } else {
      request.counter = ++counter_;
      pieces = store_->take(pool_of(request), request.units);
    }
    usage_.units[request.kind] += request.units;
    batches_.push_back({request, shape(request), online[i], std::move(pieces)});
  }
  store_->commit([&](std::uint64_t granted) { agree(step, granted); });
}

StoreSource::Batch& StoreSource::current(bool want_masks) {
  for (Batch& batch : batches_) {
    if (!want_masks && batch.rows.num_products == 0) continue;
    if ((want_masks ? batch.masks_taken : batch.products_taken) < batch.request.num_chunks())
      return batch;
  }
  throw Error(Code::internal, "an operation takes more correlations than it planned");
}

void StoreSource::masks(std::initializer_list<Take> streams) {
  Batch& batch = current(true);
  const std::uint64_t chunk = batch.masks_taken++;
  if (batch.online) return maker_->masks(streams);
  check(streams.size() == batch.rows.num_masks, Code::internal, "mask streams do not fit the plan");
  std::size_t stream = 0;
  for (const Take& to : streams) take(batch, chunk, stream++, to);
}

void StoreSource::products(std::initializer_list<Words> streams) {
  Batch& batch = current(false);
  const std::uint64_t chunk = batch.products_taken++;
  if (batch.online) {
    maker_->products(streams);
    usage_.offline_bytes = maker_->usage().offline_bytes;
  } else {
    check(streams.size() == batch.rows.num_products, Code::internal,
          "product streams do not fit the plan");
    std::size_t stream = batch.rows.num_masks;
    for (const Words& out : streams) take(batch, chunk, stream++, out);
  }
  drop_done();
}

void StoreSource::take(const Batch& batch, std::uint64_t chunk, std::size_t stream,
                       const Take& to) {
  const Rows& rows = rows_of(batch.rows, stream);
  const std::uint64_t units = batch.request.units_in_chunk(chunk);
  check(to.out.size() == rows.words(units), Code::internal, "a stream does not fit the plan");
  check(!rows.joined || to.as == Take::As::plain, Code::internal, "a joined row is taken as it is");
  if (rows.joined && !to.out.empty()) to.out.back() = 0;
  const std::uint64_t begin = chunk * batch.request.chunk, end = begin + units;
  std::uint64_t at = 0;  // units of the request before the piece
  for (const Piece& piece : batch.pieces) {
    const std::uint64_t from = std::max(at, begin), until = std::min(at + piece.units, end);
    if (from < until) {
      const std::shared_ptr<const Segment> segment = store_->segment(piece);
      const Span span{piece.first + from - at, from - begin, until - from};
      if (rows.joined)
        take_joined(*segment, stream, rows, units, span, to.out, pool_);
      else
        take_padded(*segment, stream, rows, units, span, to, pool_);
    }
    at += piece.units;
  }
}

void StoreSource::drop_done() {
  while (!batches_.empty() && batches_.front().done()) batches_.pop_front();
}

void StoreSource::finish() {
  drop_done();
  check(batches_.empty(), Code::internal, "an operation left correlations unused");
  if (maker_) maker_->finish();
  store_->trim();
}

}  // namespace petcore::correlation
