// Session: the one owner of links, seeds, correlations and protocol of one joint computation.
//
// One thread at a time (Code::busy otherwise). An operation that fails tells every peer why, then
// poisons the session: later calls raise Code::broken with the first cause. fail, close and the
// counters may be used by any thread. A child of fork() can do nothing with its copy.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/block.h"
#include "base/pool.h"
#include "base/process.h"
#include "correlation/dealer_link.h"
#include "correlation/store_making.h"
#include "net/handshake.h"
#include "net/mesh.h"
#include "ot/extension.h"
#include "ot/vole.h"
#include "protocol/registry.h"
#include "psi/circuit.h"

namespace petcore::session {

// A message that changes any byte on the wire changes this number.
constexpr const char* kWireVersion = "3";
// Bounds what a peer can make this party allocate for one input.
constexpr std::uint64_t kElementsMax = std::uint64_t{1} << 28;
// Characters that one step can be named after besides; a label has 256.
constexpr std::size_t kBoundMax = std::size_t{1} << 16;

// Set what is derived from the common seed apart: the mark of a session, the names of its stock.
constexpr std::uint64_t kSessionMark = 0x6d61726b;
constexpr std::uint64_t kStockMark = 0x73746f63;
constexpr std::uint64_t kKeyMark = 0x6b6579;

using net::Terms;
using Bits = std::span<const std::uint8_t>;

struct Config {
  std::string protocol = "semi2k";
  int party = 0;
  std::vector<std::string> names;                      // of the parties, in order
  std::map<int, std::shared_ptr<net::Channel>> peers;  // every party but this one
  std::shared_ptr<net::Channel> dealer;                // where correlations are dealt
  Terms terms;  // what else the parties must agree on; the dealer is shown "session" only
  std::size_t threads = 1;                     // that may share large work, the caller's included
  std::function<void()> interrupted = {};      // called in every wait; what it throws ends the wait
  std::string correlations = "dealer";         // where they come from (session/sources.h)
  std::shared_ptr<net::Channel> offline = {};  // a second link to the peer, where they are made
  std::shared_ptr<correlation::Store> store = {};  // stock to take from, or to fill
  std::string maker = "dealer";                    // whose correlations are in the store
  // What happens where it lacks something: "refuse"; "make" that in the session; or "restock", make
  // a lot of it and go on from there.
  std::string at_zero = "refuse";
  // How to reach the dealer again when it went away, and how long to try; empty: the session fails.
  correlation::DealerLink::Dial redial = {};
  net::milliseconds redial_patience{20000};
  double verify = 0;  // how often the dealer is checked (correlation/verification.h); 0: never
  ot::Options transfers = {};  // by which the parties make them over the offline link
};

// base_terms are the terms that the core itself adds to every handshake; dealer_terms all that the
// dealer is shown.
Terms base_terms(const protocol::Row& row, const std::vector<std::string>& names);
Terms dealer_terms(const Config& config);

struct Input {
  Buffer<std::uint64_t> share;
  Buffer<std::uint8_t> bits;  // one of the two
  std::vector<std::byte> meta;
};

// PsiTask: one intersection of this party's ids with its peer's (psi/rr22.h, psi/ecdh.h).
struct PsiTask {
  std::string label, method;  // "rr22" or "ecdh"
  std::uint64_t num_theirs = 0;
  std::optional<int> to;     // who is to learn it; both where left out
  std::uint64_t runs = 1;    // intersections that share one chance of a false positive
  bool cardinality = false;  // how many only
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

struct PsiFound {
  std::uint64_t size = 0;
  Buffer<std::uint64_t> indices;  // none for a cardinality
};

// CircuitTask: one intersection in circuit form (psi/circuit.h).
struct CircuitTask {
  std::string label;
  int receiver = 0;  // the party whose ids lie in the table
  std::uint64_t num_theirs = 0;
  std::size_t num_columns = 0;
  std::vector<ConstWords> columns = {};  // the sender's
};

class Session {
 public:
  // Session agrees with every peer and the dealer, on the offline link too, then exchanges seeds.
  explicit Session(Config config);
  ~Session();

  int party() const { return config_.party; }
  const std::vector<std::string>& names() const { return config_.names; }
  std::string protocol_name() const { return config_.protocol; }
  const std::string& correlations() const { return config_.correlations; }
  const ot::Options& transfers() const { return config_.transfers; }
  int components() const { return protocol_->components(); }
  std::uint64_t steps() const { return step_index_; }
  // round_trip is what the first party measured when the session began, in whole milliseconds.
  std::chrono::milliseconds round_trip() const { return round_trip_; }
  // deals_keys: whether correlations come from a dealer, who makes keys of one-round comparisons.
  bool deals_keys() const;
  std::size_t threads() const { return pool_.threads(); }

  // input: the owner passes values; everyone gets a share of them and the owner's meta bytes.
  Input input(int owner, std::optional<ConstWords> values, ConstBytes meta);
  Input input_bits(int owner, std::optional<Bits> values, ConstBytes meta);
  Buffer<std::uint64_t> open(ConstWords x, const std::string& label);
  Buffer<std::uint8_t> open_bits(Bits x, const std::string& label);
  std::optional<Buffer<std::uint64_t>> reveal(ConstWords x, int to, const std::string& label);
  std::optional<Buffer<std::uint8_t>> reveal_bits(Bits x, int to, const std::string& label);
  // checkpoint moves no data: it fails unless every party is at the same label.
  void checkpoint(const std::string& label);
  // bind_next does the same within the next operation, at no round: its step is named after the
  // text too, and fails where a party bound another one.
  void bind_next(const std::string& text);

  // ahead lets the dealer send ahead what it foresees, at most so many bytes; 0 ends it. One round:
  // every party calls it with the same number.
  void ahead(std::uint64_t bytes);
  correlation::Usage usage() const;

  Buffer<std::uint64_t> add_public(ConstWords x, ConstWords value);
  Buffer<std::uint8_t> xor_public(Bits x, Bits value);

  // Products: each is truncated by `truncate` bits at once, as by truncate(), unless that is 0.
  Buffer<std::uint64_t> mul(ConstWords x, ConstWords y, unsigned truncate = 0);
  Buffer<std::uint64_t> square(ConstWords x, unsigned truncate = 0);
  Buffer<std::uint64_t> matmul(ConstWords x, ConstWords y, std::uint64_t m, std::uint64_t k,
                               std::uint64_t n, unsigned truncate = 0);
  Buffer<std::uint8_t> and_bits(Bits x, Bits y);
  Buffer<std::uint64_t> mul_bit(Bits bit, ConstWords x);
  Buffer<std::uint64_t> select(Bits bit, ConstWords x, ConstWords y);
  Buffer<std::uint8_t> msb(ConstWords x, protocol::BitRange range = {});
  Buffer<std::uint8_t> equal_zero(ConstWords x, unsigned width = 64);
  Buffer<std::uint8_t> bits(ConstWords x,
                            unsigned width = 64);  // `width` per element, lowest first
  Buffer<std::uint8_t> fss_sign(ConstWords x, protocol::BitRange range = {});
  Buffer<std::uint8_t> fss_zero(ConstWords x, unsigned width = 64);
  Buffer<std::uint8_t> fss_interval(ConstWords x, ConstWords low, ConstWords high,
                                    unsigned width = 64);
  Buffer<std::uint64_t> fss_select(ConstWords x, ConstWords y, protocol::BitRange range = {});
  Buffer<std::uint64_t> b2a(Bits bit);
  Buffer<std::uint64_t> truncate(ConstWords x, unsigned bits, bool exact);

  // function: one of the functions of reals by its name, for words with frac_bits fraction bits.
  Buffer<std::uint64_t> function(ConstWords x, const std::string& name, unsigned frac_bits);

  std::shared_ptr<protocol::MaskedShare> mask(ConstWords x, std::uint64_t rows,
                                              std::uint64_t columns);
  Buffer<std::uint64_t> masked_matmul(const protocol::MaskedShare& x, ConstWords y,
                                      std::uint64_t row_begin, std::uint64_t row_end,
                                      bool transposed, std::uint64_t n, unsigned truncate = 0);

  // Both parties know the key under which ids become digests for PSI, and nobody else.
  prg::Seed psi_key() const;
  // common_key is known to all parties and to nobody else, not even the dealer; another at each
  // step.
  prg::Seed common_key(const std::string& purpose) const;
  // tell gives a few numbers to the peer and returns as many of its own.
  Buffer<std::uint64_t> tell(const std::string& label, ConstWords numbers);
  // intersect gives indices into the digests, in an order common to both parties, to who learns.
  std::optional<PsiFound> intersect(const PsiTask& task, std::span<const Block> digests);
  // intersect_shares gives shares on which membership is to be found out (equal_zero of the tags).
  psi::CircuitShares intersect_shares(const CircuitTask& task, std::span<const Block> digests);
  // stock_up fills the store up to these orders, from whoever makes correlations in this session.
  void stock_up(std::span<const correlation::Order> orders, const correlation::Progress& progress);
  // stock is what the store holds; nothing where there is no store.
  std::optional<correlation::StoreStatus> stock() const;

  protocol::Cost declared(const std::string& op, const std::vector<std::uint64_t>& dims) const;
  // measured is what this party sent, waited for and used in the operations that ended so far.
  protocol::Cost measured() const;
  std::uint64_t bytes_received() const;
  std::map<std::string, net::Counters> link_counters() const;

  // fail tells every peer that this party gives up, and poisons the session.
  void fail(Code code, const std::string& text);
  void close() noexcept;

 private:
  using Body = std::function<void(protocol::Env&)>;
  void run(const std::string& what, const Body& body);
  void agree_on_terms(const protocol::Row& row);
  void exchange_seeds();
  void give_up(const Error& error, std::uint64_t index, const net::Step& step);
  bool poison(const Error& error);  // whether this is the first cause
  std::optional<Error> first_cause() const;
  bool kept_its_links() const;
  void check_share(std::size_t size) const;
  std::size_t elements(std::size_t share_size) const;
  Buffer<std::uint64_t> pack(Bits x) const;
  Buffer<std::uint8_t> unpack(ConstWords x, std::size_t n) const;
  struct Transfers;  // session/transfers.h
  net::Channel& only_peer();
  void check_task(const PsiTask& task, std::size_t num_own) const;
  std::optional<PsiFound> intersect_rr22(const protocol::Env& env, const PsiTask& task,
                                         std::span<const Block> digests);
  std::optional<PsiFound> intersect_ecdh(const protocol::Env& env, const PsiTask& task,
                                         std::span<const Block> digests);
  ot::VoleSender& vole_sender(net::Channel& channel);
  ot::VoleReceiver& vole_receiver(net::Channel& channel);
  template <class Receive>
  Input take_input(const char* kind, int owner, std::size_t n, bool has_values, ConstBytes meta,
                   const Receive& receive);

  const Born born_;
  const std::shared_ptr<const void> identity_ = std::make_shared<char>();
  Config config_;
  Pool pool_;
  std::unique_ptr<protocol::Protocol> protocol_;
  std::unique_ptr<net::Mesh> mesh_;
  std::unique_ptr<correlation::DealerLink> dealer_;
  std::unique_ptr<correlation::Source> source_;
  std::shared_ptr<Transfers> transfers_;
  prg::Seed common_seed_{};
  std::chrono::milliseconds round_trip_{0};
  protocol::Meter meter_;
  std::atomic<std::uint64_t> step_index_ = 0;
  std::atomic<bool> busy_ = false;
  mutable std::mutex mutex_;
  std::optional<Error> broken_;
  std::string bound_;  // what the next step is named after besides
  protocol::Cost measured_;
  correlation::Usage usage_;  // as of the end of the last operation
  std::uint64_t bytes_received_ = 0;
};

}  // namespace petcore::session
