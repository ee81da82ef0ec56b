#include "net/channel_state.h"

namespace petcore::net {
namespace {

constexpr const char* kRemedy = "look at its log, then start a new session";

// heard is what a peer's reason for giving up means here. One that refuses the terms of the
// handshake, or bounds what it serves, means this party as much as itself; one that leaves for a
// while is like a link that went away.
Code heard(Code reason) {
  switch (reason) {
    case Code::handshake:
    case Code::full:
    case Code::limit:
    case Code::cheated:
      return reason;
    case Code::leaving:
      return Code::closed;
    default:
      return Code::aborted;
  }
}

}  // namespace

Channel::State::State(Channel& owner) : channel(owner) {
  last_in = last_out = progress = attended = alive_since = Clock::now();
}

void Channel::State::begin(const Step& next_step) {
  step.tag = next_step.tag;
  step.what.assign(next_step.what);
  if (!failed.load(std::memory_order_acquire)) return;
  const std::lock_guard guard(failure_mutex);
  if (!failure_raised) {
    failure_raised = true;
    throw Error(*failure);
  }
  throw Error(Code::broken,
              "the link to " + who() + " failed earlier: " + failure->what() +
                  (failure->step().empty() ? "" : " [at " + failure->step() + "]"),
              failure->party(), failure->address(), step.what);
}

void Channel::State::keep(const Error& error, bool raised) {
  const std::lock_guard guard(failure_mutex);
  if (failure) return;
  failure.emplace(error);
  failure_raised = raised;
  failed.store(true, std::memory_order_release);
}

std::string Channel::State::who() const {
  const Peer& peer = channel.peer_;
  return peer.name + (peer.address.starts_with("in ") ? " " : " at ") + peer.address;
}

std::string Channel::State::where() const {
  if (step.what.empty()) return "before the first step";
  return (in_call ? "at " : "after ") + step.what;
}

Error Channel::State::make_error(Code code, const std::string& message) const {
  return Error(code, message, channel.peer_.name, channel.peer_.address, step.what);
}

Error Channel::State::explain(const Error& error) const {
  if (!error.party().empty()) return error;
  if (error.code() == Code::closed) return closed_error(error.what());
  return make_error(error.code(),
                    "what " + who() + " sent " + where() + " is no petcore frame: " + error.what() +
                        ". Both parties must run the same petcore release; " + kRemedy);
}

Error Channel::State::closed_error(const std::string& reason) const {
  return make_error(Code::closed, who() + " closed the link " + where() + " (" + reason +
                                      "): its process ended or the network dropped it; " + kRemedy);
}

Error Channel::State::goodbye_error() const {
  return make_error(Code::step, who() + " ended its program while this party is " + where() +
                                    ". All parties must run the same program; " + kRemedy);
}

Error Channel::State::mismatch_error(const std::string& their_step) const {
  return make_error(Code::step, who() + " is at " + their_step + " while this party is " + where() +
                                    ". All parties must run the same program on the same shapes");
}

Error Channel::State::notice_error(const Notice& received) const {
  if (received.code == Code::step) return mismatch_error(received.step);
  const Code code = heard(received.code);
  return make_error(code, who() + " gave up at " + received.step + ": " + received.text + " [" +
                              code_name(received.code) +
                              "]. Settle it there, then "
                              "start a new session");
}

}  // namespace petcore::net
