#include "session/session.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "bits/bits.h"
#include "session/round_trip.h"
#include "session/sources.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

void check_config(const Config& config, const protocol::Row& row) {
  check(config.names.size() == static_cast<std::size_t>(row.parties), Code::usage,
        "this protocol is for another number of parties");
  check(std::set(config.names.begin(), config.names.end()).size() == config.names.size(),
        Code::usage, "two parties have the same name");
  check(config.party >= 0 && config.party < row.parties, Code::usage,
        "party is not an index into names");
  check_source(config);
  check(config.verify >= 0 && config.verify < 1, Code::usage,
        "how often a dealer is checked must be a probability below 1");
  check(config.peers.size() + 1 == config.names.size() && !config.peers.contains(config.party),
        Code::usage, "a session takes one link to every other party");
  // The key behind a link was checked against a name: so no two parties can play the same one.
  for (const auto& [id, link] : config.peers)
    check(id >= 0 && id < row.parties && link != nullptr &&
              link->peer().name == config.names[static_cast<std::size_t>(id)],
          Code::usage, "a link leads to another party than names says");
  check(!config.offline ||
            config.offline->peer().name == config.names[static_cast<std::size_t>(1 - config.party)],
        Code::usage, "the offline link leads to another party than the peer");
}

}  // namespace

Terms base_terms(const protocol::Row& row, const std::vector<std::string>& names) {
  std::string parties;
  for (const std::string& name : names) parties += (parties.empty() ? "" : ", ") + name;
  return {{"wire version", kWireVersion},
          {"protocol", std::string(row.name)},
          {"ring", std::string(row.ring)},
          {"parties", parties}};
}

Terms dealer_terms(const Config& config) {
  Terms terms = base_terms(protocol::find(config.protocol), config.names);
  for (const auto& term : config.terms)
    if (term.first == "session") terms.push_back(term);
  return terms;
}

Session::Session(Config config) : config_(std::move(config)), pool_(config_.threads) {
  const protocol::Row& row = protocol::find(config_.protocol);
  check_config(config_, row);
  protocol_ = row.make(setting_of(config_.correlations, config_.maker, config_.transfers));
  std::map<int, std::shared_ptr<net::Channel>> links = config_.peers;
  if (config_.dealer) links[row.parties] = config_.dealer;
  if (config_.offline) links[row.parties + 1] = config_.offline;
  mesh_ = std::make_unique<net::Mesh>(std::move(links), config_.interrupted);
  if (config_.dealer)
    dealer_ = std::make_unique<correlation::DealerLink>(config_.dealer, *mesh_, row.parties);
  try {
    agree_on_terms(row);
    exchange_seeds();
    round_trip_ = measure_round_trip(config_.party, config_.peers);
  } catch (const Error& error) {
    if (dealer_) dealer_->stop();
    mesh_->abort_all(error, handshake_step());
    throw;
  } catch (...) {
    if (dealer_) dealer_->stop();
    mesh_->abort_all(Error(Code::aborted, "the handshake was interrupted"), handshake_step());
    throw;
  }
}

Session::~Session() {
  close();
  wipe(common_seed_.data(), common_seed_.size());
}

void Session::agree_on_terms(const protocol::Row& row) {
  Terms terms = base_terms(row, config_.names);
  terms.emplace_back("correlations", config_.correlations);
  if (config_.correlations == kFromStore) terms.emplace_back("at zero", at_zero_text(config_));
  if (config_.offline) terms.emplace_back("transfers", ot::text_of(config_.transfers));
  for (const auto& term : config_.terms) terms.push_back(term);
  for (auto& [id, channel] : config_.peers) net::agree(*channel, terms, handshake_step());
  if (config_.offline) {
    terms.emplace_back("link", "offline phase");
    net::agree(*config_.offline, terms, handshake_step());
  }
}

void Session::exchange_seeds() {
  const net::Step step = seed_step();
  const prg::Seed mine = prg::random_seed();
  common_seed_ = mine;
  for (auto& [id, channel] : config_.peers) channel->send(step, mine);
  for (auto& [id, channel] : config_.peers) {
    prg::Seed theirs;
    channel->recv(step, theirs);
    for (std::size_t i = 0; i < theirs.size(); ++i) common_seed_[i] ^= theirs[i];
  }
  source_ = make_source(config_, common_seed_, pool_, {mesh_.get(), dealer_.get()});
}

void Session::run(const std::string& what, const Body& body) {
  check(born_.here(), Code::broken,
        "a session belongs to the process that made it; after fork() the child must open its own");
  if (busy_.exchange(true))
    throw Error(Code::busy, "another thread is using this session; give each thread its own");
  struct Release {
    std::atomic<bool>& flag;
    ~Release() { flag = false; }
  } release{busy_};
  if (const auto broken = first_cause())
    throw Error(
        Code::broken,
        std::string("the session ended earlier: ") + broken->what() + "; open a new session",
        broken->party(), broken->address(), broken->step());
  const std::uint64_t index = ++step_index_;
  const net::Step step =
      named_step("step " + std::to_string(index) + ": " + what + std::exchange(bound_, {}));
  protocol::Env env{config_.party, config_.peers, *source_, common_seed_,
                    index,         step,          meter_,   pool_};
  try {
    body(env);
  } catch (const Error& error) {
    give_up(error, index, step);
    throw;
  } catch (...) {  // out of memory, or interrupted by the user
    give_up(Error(Code::aborted, "the operation was interrupted", "", "", step.what), index, step);
    throw;
  }
  const correlation::Usage& usage = source_->usage();
  const std::lock_guard lock(mutex_);
  measured_ = {meter_.rounds, meter_.bytes_sent, usage.offline_bytes, usage.units, {}, {}};
  bytes_received_ = meter_.bytes_received;
  usage_ = usage;
}

// The dealer is told whose fault it is and at which step, but no label and no text: these may name
// customers.
void Session::give_up(const Error& error, std::uint64_t index, const net::Step& step) {
  if (!poison(error)) return;
  if (dealer_) dealer_->stop();
  mesh_->stop();
  for (auto& [id, channel] : config_.peers) channel->abort(error.code(), error.what(), step);
  const std::string who =
      error.party().empty() ? "its own program" : "its link to " + error.party();
  if (config_.offline) config_.offline->abort(error.code(), error.what(), step);
  if (dealer_)
    dealer_->channel()->abort(error.code(), who + " failed; its log tells more",
                              {step.tag, "step " + std::to_string(index)});
}

bool Session::poison(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (broken_) return false;
  broken_ = error;
  return true;
}

std::optional<Error> Session::first_cause() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void Session::check_share(std::size_t size) const {
  check(size > 0 && size % static_cast<std::size_t>(components()) == 0, Code::usage,
        "a share has no elements, or not a whole number of components");
}

template <class Receive>
Input Session::take_input(const char* kind, int owner, std::size_t n, bool has_values,
                          ConstBytes meta, const Receive& receive) {
  check(owner >= 0 && owner < static_cast<int>(config_.names.size()), Code::usage,
        "owner is not a party of this session");
  check(has_values == (owner == config_.party), Code::usage,
        "the owner of an input passes its values, the others pass None");
  check(!has_values || (n > 0 && n <= kElementsMax), Code::usage,
        "an input is empty or has more than 2^28 elements; pass it in parts");
  Input input;
  run(std::string(kind) + " from " + config_.names[static_cast<std::size_t>(owner)],
      [&](protocol::Env& env) {
        std::uint64_t size = n;
        if (has_values) {
          ByteWriter message;
          message.put(size);
          message.put_raw(meta);
          for (auto& [id, channel] : config_.peers)
            channel->send_message(env.step, message.bytes());
          input.meta.assign(meta.begin(), meta.end());
        } else {
          const auto message = config_.peers.at(owner)->recv_message(env.step);
          ByteReader reader(message);
          size = reader.get<std::uint64_t>();
          check(size > 0 && size <= kElementsMax, Code::frame,
                "a peer announced an input that is empty or larger than 2^28 elements");
          input.meta.assign(reader.rest().begin(), reader.rest().end());
        }
        ++meter_.rounds;
        receive(env, input, size);
      });
  return input;
}

Input Session::input(int owner, std::optional<ConstWords> values, ConstBytes meta) {
  const auto receive = [&](protocol::Env& env, Input& input, std::uint64_t size) {
    input.share = Buffer<std::uint64_t>(size * static_cast<std::size_t>(components()));
    protocol_->input(env, input.share.span(), values.value_or(ConstWords{}), owner);
  };
  return take_input("input", owner, values ? values->size() : 0, values.has_value(), meta, receive);
}

Input Session::input_bits(int owner, std::optional<Bits> values, ConstBytes meta) {
  const auto receive = [&](protocol::Env& env, Input& input, std::uint64_t size) {
    const std::size_t words = petcore::bits::num_words(size);
    Buffer<std::uint64_t> known(values ? words : 0);
    Buffer<std::uint64_t> out(words * static_cast<std::size_t>(components()));
    if (values) petcore::bits::pack(known.span(), *values);
    protocol_->input_bits(env, out.span(), known.span(), owner);
    input.bits = unpack(out.span(), size);
  };
  return take_input("input (bool)", owner, values ? values->size() : 0, values.has_value(), meta,
                    receive);
}

void Session::checkpoint(const std::string& label) {
  run("checkpoint " + label, [&](protocol::Env& env) {
    for (auto& [id, channel] : config_.peers) channel->send_message(env.step, {});
    for (auto& [id, channel] : config_.peers) channel->recv_message(env.step);
    ++meter_.rounds;
  });
}

void Session::bind_next(const std::string& text) {
  check(bound_.size() + text.size() <= kBoundMax, Code::usage,
        "too much is to be agreed on in one operation; agree on a digest of it");
  bound_ += (bound_.empty() ? ", having agreed on " : " and ") + text;
}

prg::Seed Session::common_key(const std::string& purpose) const {
  return prg::derive(common_seed_, {kKeyMark, step_index_, named_step(purpose).tag, 0, 0, 0});
}

void Session::ahead(std::uint64_t bytes) {
  const std::string what = "ahead of demand, " + std::to_string(bytes) + " bytes";
  run(what, [&](protocol::Env& env) {
    for (auto& [id, channel] : config_.peers) channel->send_message(env.step, {});
    for (auto& [id, channel] : config_.peers) channel->recv_message(env.step);
    ++meter_.rounds;
    source_->ahead(bytes);
  });
}

Buffer<std::uint64_t> Session::open(ConstWords x, const std::string& label) {
  check_share(x.size());
  Buffer<std::uint64_t> out(x.size() / static_cast<std::size_t>(components()));
  run("open " + label + " of " + count(out.size()),
      [&](protocol::Env& env) { protocol_->open(env, out.span(), x); });
  return out;
}

std::optional<Buffer<std::uint64_t>> Session::reveal(ConstWords x, int to,
                                                     const std::string& label) {
  check_share(x.size());
  check(to >= 0 && to < static_cast<int>(config_.names.size()), Code::usage,
        "a value can be revealed to a party of this session only");
  const bool mine = to == config_.party;
  Buffer<std::uint64_t> out(mine ? x.size() / static_cast<std::size_t>(components()) : 0);
  run("reveal " + label + " of " + count(x.size()) + " to " +
          config_.names[static_cast<std::size_t>(to)],
      [&](protocol::Env& env) { protocol_->reveal(env, out.span(), x, to); });
  if (!mine) return std::nullopt;
  return out;
}

Buffer<std::uint64_t> Session::add_public(ConstWords x, ConstWords value) {
  check(x.size() == value.size() * static_cast<std::size_t>(components()), Code::usage,
        "a share and a public value have different sizes");
  Buffer<std::uint64_t> out(x.size());
  protocol_->add_public(config_.party, out.span(), x, value);
  return out;
}

void Session::stock_up(std::span<const correlation::Order> orders,
                       const correlation::Progress& progress) {
  correlation::Source* maker = source_->maker();
  check(config_.store != nullptr && maker != nullptr, Code::usage,
        "stock is made by a session that has a store and a maker: set at_zero = make, or run "
        "'petcore prepare' while no session uses the store");
  run("make stock for " + std::to_string(orders.size()) + " pools", [&](protocol::Env& env) {
    const prg::Seed seed = prg::derive(common_seed_, {kStockMark, env.step_index, 2, 0, 0, 0});
    correlation::make_stock(*config_.store, *maker, *env.peers.begin()->second, env.step, orders,
                            seed, progress);
  });
}

std::optional<correlation::StoreStatus> Session::stock() const {
  if (!config_.store) return std::nullopt;
  return config_.store->status();
}

protocol::Cost Session::declared(const std::string& op,
                                 const std::vector<std::uint64_t>& dims) const {
  protocol::Cost cost = protocol_->declared(protocol::op_from_name(op), dims);
  if (config_.correlations == kFromStore) cost.offline_bytes = 0;
  return cost;
}

bool Session::deals_keys() const {
  return config_.correlations != kFromStore && setting_of(config_.correlations).dealt;
}

protocol::Cost Session::measured() const {
  const std::lock_guard lock(mutex_);
  return measured_;
}

correlation::Usage Session::usage() const {
  const std::lock_guard lock(mutex_);
  return usage_;
}

std::uint64_t Session::bytes_received() const {
  const std::lock_guard lock(mutex_);
  return bytes_received_;
}

std::map<std::string, net::Counters> Session::link_counters() const {
  std::map<std::string, net::Counters> out;
  for (const auto& [id, channel] : config_.peers) out[channel->peer().name] = channel->counters();
  if (dealer_) out[config_.dealer->peer().name] = dealer_->counters();
  if (config_.offline)
    out[config_.offline->peer().name + " (offline)"] = config_.offline->counters();
  return out;
}

void Session::fail(Code code, const std::string& text) {
  if (!born_.here()) return;
  const std::uint64_t index = step_index_;
  give_up(Error(code, text), index, named_step("step " + std::to_string(index)));
}

// kept_its_links: whoever was put back in the middle of a session, memory and all, finds them cut.
bool Session::kept_its_links() const {
  const auto cause = first_cause();
  if (!cause) return true;
  constexpr std::array kCut = {Code::closed, Code::late,   Code::silent,
                               Code::frame,  Code::broken, Code::internal};
  return std::find(kCut.begin(), kCut.end(), cause->code()) == kCut.end();
}

void Session::close() noexcept {
  if (!born_.here()) return;
  const bool in_order = kept_its_links();
  poison(Error(Code::broken, "it was closed"));
  if (dealer_) dealer_->stop();
  if (mesh_) mesh_->close_all();
  if (config_.store) config_.store->close(in_order);
}

}  // namespace petcore::session
