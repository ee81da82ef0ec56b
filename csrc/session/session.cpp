#include "session/session.h"

#include <algorithm>

#include "bits/bits.h"
#include "correlation/dealer_source.h"
#include "session/steps.h"

namespace petcore::session {
namespace {

std::string count(std::size_t n) { return std::to_string(n) + (n == 1 ? " element" : " elements"); }

}  // namespace

Terms base_terms(const protocol::Row& row, const std::vector<std::string>& names) {
  std::string parties;
  for (const std::string& name : names) parties += (parties.empty() ? "" : ", ") + name;
  return {{"wire version", kWireVersion},
          {"protocol", std::string(row.name)},
          {"ring", std::string(row.ring)},
          {"parties", parties}};
}

Session::Session(Config config) : config_(std::move(config)) {
  const protocol::Row& row = protocol::find(config_.protocol);
  check(config_.names.size() == static_cast<std::size_t>(row.parties), Code::usage,
        "this protocol is for another number of parties");
  check(config_.party >= 0 && config_.party < row.parties, Code::usage,
        "party is not an index into names");
  check(config_.dealer != nullptr, Code::usage, "a dealer is needed: it makes the correlations");
  protocol_ = row.make();
  std::map<int, std::shared_ptr<net::Channel>> links = config_.peers;
  links[row.parties] = config_.dealer;
  mesh_ = std::make_unique<net::Mesh>(std::move(links), config_.interrupted);
  Terms terms = base_terms(row, config_.names), dealer_terms = terms;
  for (const auto& term : config_.terms) {
    terms.push_back(term);
    if (term.first == "session") dealer_terms.push_back(term);
  }
  try {
    for (auto& [id, channel] : config_.peers) net::agree(*channel, terms, handshake_step());
    net::agree(*config_.dealer, dealer_terms, handshake_step());
    exchange_seeds();
  } catch (const Error& error) {
    mesh_->abort_all(error, handshake_step());
    throw;
  }
}

Session::~Session() { close(); }

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
  const prg::Seed with_dealer = prg::random_seed();
  config_.dealer->send(step, with_dealer);
  source_ =
      std::make_unique<correlation::DealerSource>(config_.dealer, with_dealer, config_.party == 1);
}

void Session::run(const std::string& what, const Body& body) {
  if (busy_.exchange(true))
    throw Error(Code::busy, "another thread is using this session; give each thread its own");
  struct Release {
    std::atomic<bool>& flag;
    ~Release() { flag = false; }
  } release{busy_};
  if (broken_)
    throw Error(
        Code::broken,
        std::string("the session ended earlier: ") + broken_->what() + "; open a new session",
        broken_->party(), broken_->address(), broken_->step());
  const std::uint64_t index = ++step_index_;
  const net::Step step = named_step("step " + std::to_string(index) + ": " + what);
  protocol::Env env{config_.party, config_.peers, *source_, common_seed_, index, step, meter_};
  try {
    body(env);
  } catch (const Error& error) {
    broken_ = error;
    mesh_->abort_all(error, step);
    throw;
  } catch (...) {  // out of memory, or interrupted by the user
    broken_ = Error(Code::aborted, "the operation was interrupted", "", "", step.what);
    mesh_->abort_all(*broken_, step);
    throw;
  }
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

protocol::Cost Session::declared(const std::string& op,
                                 const std::vector<std::uint64_t>& dims) const {
  return protocol_->declared(protocol::op_from_name(op), dims);
}

protocol::Cost Session::measured() const {
  const correlation::Usage& usage = source_->usage();
  return {meter_.rounds, meter_.bytes_sent, usage.dealer_bytes, usage.units};
}

std::map<std::string, net::Counters> Session::link_counters() const {
  std::map<std::string, net::Counters> out;
  for (const auto& [id, channel] : config_.peers) out[channel->peer().name] = channel->counters();
  out[config_.dealer->peer().name] = config_.dealer->counters();
  return out;
}

void Session::fail(Code code, const std::string& text) {
  if (broken_) return;
  broken_ = Error(code, text);
  mesh_->abort_all(*broken_, named_step("step " + std::to_string(step_index_)));
}

void Session::close() noexcept {
  if (!broken_) broken_ = Error(Code::broken, "it was closed");
  if (mesh_) mesh_->close_all();
}

}  // namespace petcore::session
