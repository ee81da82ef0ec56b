#include "net/channel.h"

#include <utility>

#include "net/channel_state.h"

namespace petcore::net {
namespace {

constexpr milliseconds kLockPatience{200};
constexpr milliseconds kClosingPatience{100};

void check_limits(const Limits& limits) {
  check(limits.frame_bytes_max > 0 && limits.message_bytes_max > 0, Code::usage,
        "frame_bytes_max and message_bytes_max must be positive");
  check(limits.inbox_bytes_max >= limits.message_bytes_max, Code::usage,
        "inbox_bytes_max must hold a whole message (message_bytes_max)");
  check(limits.deadline.count() > 0 && limits.heartbeat.count() > 0, Code::usage,
        "deadline and heartbeat must be positive");
  check(limits.silence >= 2 * limits.heartbeat, Code::usage,
        "the silence limit must be at least two heartbeats");
}

// InCall marks the time in which the owner waits.
class InCall {
 public:
  explicit InCall(bool& flag) : flag_(flag) { flag_ = true; }
  ~InCall() { flag_ = false; }

 private:
  bool& flag_;
};

// locked runs one call of the owner: alone on the link, its failure kept.
template <class State, class Work>
auto locked(State& state, const Step& step, Work work) {
  check(state.born.here(), Code::broken,
        "a link belongs to the process that made it; after fork() the child must open its own");
  const std::lock_guard lock(state.mutex);
  state.begin(step);
  const InCall in_call(state.in_call);
  try {
    return work();
  } catch (const Error& error) {
    // A peer that reports another step is owed ours.
    if (state.notice && state.notice->code == Code::step)
      state.last_words(
          FrameType::abort,
          encode_notice({Code::step, state.step.what, "the parties are at different steps"}),
          kClosingPatience);
    state.keep(error, true);
    throw;
  } catch (const std::exception& error) {
    state.keep(state.make_error(Code::internal, error.what()), true);
    throw;
  }
}

}  // namespace

Channel::Channel(Peer peer, Limits limits) : peer_(std::move(peer)), limits_(limits) {
  check_limits(limits_);
  state_ = std::make_unique<State>(*this);
}

Channel::~Channel() = default;

void Channel::send(const Step& step, ConstBytes payload) { exchange(step, payload, {}); }

void Channel::recv(const Step& step, Bytes out) { exchange(step, {}, out); }

void Channel::exchange(const Step& step, ConstBytes payload, Bytes out) {
  locked(*state_, step, [&] {
    State::Outgoing outgoing{FrameType::data, payload};
    state_->transfer(outgoing, out);
    state_->payload_sent.fetch_add(payload.size(), std::memory_order_relaxed);
    state_->payload_received.fetch_add(out.size(), std::memory_order_relaxed);
  });
}

void Channel::send_message(const Step& step, ConstBytes payload) {
  locked(*state_, step, [&] {
    if (payload.size() > limits_.message_bytes_max)
      throw state_->make_error(Code::usage, "a message of " + std::to_string(payload.size()) +
                                                " bytes is longer than message_bytes_max = " +
                                                std::to_string(limits_.message_bytes_max));
    State::Outgoing outgoing{FrameType::message, payload};
    state_->transfer(outgoing, {});
    state_->payload_sent.fetch_add(payload.size(), std::memory_order_relaxed);
  });
}

std::vector<std::byte> Channel::recv_message(const Step& step) {
  return locked(*state_, step, [&] {
    Message message = *state_->next(true);
    state_->payload_received.fetch_add(message.payload.size(), std::memory_order_relaxed);
    return std::move(message.payload);
  });
}

std::optional<Channel::Message> Channel::next_message(const Step& step) {
  return locked(*state_, step, [&] {
    std::optional<Message> message = state_->next(false);
    if (message)
      state_->payload_received.fetch_add(message->payload.size(), std::memory_order_relaxed);
    return message;
  });
}

void Channel::close() noexcept {
  if (!state_->born.here()) return;
  const std::unique_lock lock(state_->mutex, kLockPatience);
  if (!lock.owns_lock()) return;
  if (!state_->failed) state_->last_words(FrameType::goodbye, {}, kClosingPatience);
  state_->keep(state_->make_error(Code::broken, "this party closed the link"), true);
  shut(kClosingPatience);
}

void Channel::abort(Code code, const std::string& text, const Step& step) noexcept {
  if (!state_->born.here()) return;
  try {
    const std::unique_lock lock(state_->mutex, kLockPatience);
    if (!lock.owns_lock()) return;
    state_->last_words(FrameType::abort, encode_notice({code, step.what, text}), kClosingPatience);
    state_->keep(state_->make_error(code, "this party gave up: " + text), true);
    shut(kClosingPatience);
  } catch (...) {
    // Out of memory or a broken lock: the peer will see the link close.
  }
}

void Channel::serve() noexcept {
  if (!state_->born.here()) return;
  const std::unique_lock lock(state_->mutex, std::try_to_lock);
  if (!lock.owns_lock() || state_->failed) return;
  try {
    while (state_->take_in()) {
    }
    if (state_->notice) throw state_->notice_error(*state_->notice);
    if (state_->goodbye_received) return;
    state_->check_open();
    const auto now = Clock::now();
    state_->beat(now);
    state_->check_alive(now);
  } catch (const Error& error) {
    if (state_->notice && state_->notice->code == Code::step)
      state_->last_words(FrameType::abort,
                         encode_notice({Code::step, state_->step.what, "the parties differ"}),
                         milliseconds(0));
    state_->keep(state_->explain(error), false);
  }
}

bool Channel::called() noexcept {
  if (!state_->born.here()) return false;
  const std::unique_lock lock(state_->mutex, std::try_to_lock);
  if (!lock.owns_lock() || state_->failed) return false;
  try {
    while (state_->take_in()) {
    }
  } catch (const Error& error) {
    state_->keep(state_->explain(error), false);
    return true;
  }
  return !state_->inbox.empty() || state_->notice;
}

bool Channel::left() noexcept {
  if (!state_->born.here()) return true;
  const std::unique_lock lock(state_->mutex, std::try_to_lock);
  if (!lock.owns_lock()) return false;
  if (state_->failed) return true;
  try {
    while (state_->take_in()) {
    }
    state_->check_open();
  } catch (const Error& error) {
    state_->keep(state_->explain(error), false);
    return true;
  }
  return false;
}

bool Channel::ended() noexcept {
  left();
  const std::unique_lock lock(state_->mutex, kLockPatience);
  return lock.owns_lock() && state_->goodbye_received;
}

std::optional<Error> Channel::failure() const {
  const std::lock_guard guard(state_->failure_mutex);
  return state_->failure;
}

void Channel::set_watch(std::function<void()> watch) {
  if (!state_->born.here()) return;
  const std::unique_lock lock(state_->mutex, kLockPatience);
  check(lock.owns_lock(), Code::busy, "another thread is using this link");
  state_->watch = std::move(watch);
}

void Channel::set_limits(const Limits& limits) {
  check_limits(limits);
  const std::lock_guard lock(state_->mutex);
  limits_ = limits;
}

void Channel::shape(const LinkShape& shape) {
  check(state_->born.here(), Code::broken, "a link belongs to the process that made it");
  const std::lock_guard lock(state_->mutex);
  insert_shaper(shape);
}

void Channel::insert_shaper(const LinkShape&) {
  throw Error(Code::usage, "a link in memory cannot be shaped; use one over TLS");
}

Counters Channel::counters() const {
  const auto get = [](const std::atomic<std::uint64_t>& n) {
    return n.load(std::memory_order_relaxed);
  };
  const State& s = *state_;
  return {get(s.payload_sent),  get(s.payload_received), get(s.wire_sent),
          get(s.wire_received), get(s.frames_sent),      get(s.frames_received)};
}

}  // namespace petcore::net
