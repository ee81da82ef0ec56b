#include "correlation/dealer_link.h"

#include <algorithm>
#include <utility>

namespace petcore::correlation {
namespace {

using net::Clock;
using net::milliseconds;

constexpr milliseconds kLook{50};
constexpr milliseconds kBreath{100};  // between attempts

// Whether an error means no more than a connection that went away, or cannot be made yet.
bool passing(const Error& error) {
  switch (error.code()) {
    case Code::closed:
    case Code::silent:
    case Code::unreachable:
    case Code::late:
    case Code::full:  // of sessions whose links it does not know to be dead yet
      return true;
    default:
      return false;
  }
}

net::Counters sum(const net::Counters& a, const net::Counters& b) {
  return {a.payload_sent + b.payload_sent, a.payload_received + b.payload_received,
          a.wire_sent + b.wire_sent,       a.wire_received + b.wire_received,
          a.frames_sent + b.frames_sent,   a.frames_received + b.frames_received};
}

}  // namespace

DealerLink::DealerLink(Channel channel, net::Mesh& mesh, int id)
    : mesh_(mesh),
      id_(id),
      changed_(std::make_unique<std::condition_variable>()),
      channel_(std::move(channel)) {}

DealerLink::~DealerLink() {
  stop();
  if (born_.here()) return;
  // A child of fork() leaves behind what a thread that it lacks may be using.
  static_cast<void>(new std::thread(std::move(thread_)));
  static_cast<void>(changed_.release());
}

void DealerLink::mend(Dial dial, Introduce introduce, milliseconds patience) {
  dial_ = std::move(dial);
  introduce_ = std::move(introduce);
  patience_ = patience;
  mesh_.set_mender(
      id_, [this](const Channel& broken, const Error& error) { return take_up(broken, error); });
}

DealerLink::Channel DealerLink::channel() const {
  const std::lock_guard lock(mutex_);
  return channel_;
}

net::Counters DealerLink::counters() const {
  const std::lock_guard lock(mutex_);
  return sum(earlier_, channel_->counters());
}

// Only a lost connection is taken up, and only the dealer's: a wait on it may also be ended by what
// happened to another link.
bool DealerLink::take_up(const Channel& broken, const Error& error) {
  if (error.code() != Code::closed && error.code() != Code::silent) return false;
  if (error.party() != broken->peer().name) return false;
  const std::lock_guard lock(mutex_);
  if (!dial_ || failure_ || stop_->is_set()) return false;
  if (mending_ || channel_ != broken) return true;
  if (thread_.joinable()) thread_.join();
  mending_ = true;
  thread_ = std::thread([this, broken, error] { run(broken, error); });
  return true;
}

DealerLink::Channel DealerLink::renewed(const Channel& broken, const Error& error,
                                        const std::function<void()>& wait) {
  if (!take_up(broken, error)) {
    const std::lock_guard lock(mutex_);
    throw Error(failure_.value_or(error));
  }
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_->wait_for(lock, kLook, [&] { return failure_ || channel_ != broken; });
      if (failure_) throw Error(*failure_);
      if (channel_ != broken) return channel_;
      if (stop_->is_set()) throw Error(error);
    }
    wait();
  }
}

void DealerLink::run(Channel broken, Error cause) {
  broken->close();
  const auto end = Clock::now() + patience_;
  const Channel made = dial_again(end, cause);
  if (!made && passing(cause))
    cause = Error(cause.code(),
                  std::string(cause.what()) + ". It did not come back within " +
                      std::to_string(patience_.count()) + " ms",
                  cause.party(), cause.address(), cause.step());
  if (made) {
    try {
      mesh_.replace(id_, made);
    } catch (const Error& error) {
      cause = error;
    }
  }
  {
    const std::lock_guard lock(mutex_);
    mending_ = false;
    if (made) {
      earlier_ = sum(earlier_, channel_->counters());
      channel_ = made;
    } else {
      failure_ = cause;
    }
  }
  changed_->notify_all();
  if (!made && !stop_->is_set()) mesh_.fail(cause);
}

DealerLink::Channel DealerLink::dial_again(Clock::time_point end, Error& cause) {
  while (!stop_->is_set() && Clock::now() < end) {
    Channel made;
    try {
      made = dial_(std::chrono::ceil<milliseconds>(end - Clock::now()), stop_);
      made->set_watch([this, end, &cause] {
        if (stop_->is_set() || Clock::now() >= end) throw Error(cause);
      });
      introduce_(*made);
      return made;
    } catch (const Error& error) {
      if (made) made->close();
      if (!passing(error)) {
        cause = error;
        return nullptr;
      }
    }
    std::unique_lock lock(mutex_);
    changed_->wait_for(lock, kBreath, [this] { return stop_->is_set(); });
  }
  return nullptr;
}

void DealerLink::stop() noexcept {
  if (!born_.here()) return;
  mesh_.set_mender(id_, {});
  stop_->set();
  changed_->notify_all();
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    std::swap(thread, thread_);
  }
  if (thread.joinable()) thread.join();
}

}  // namespace petcore::correlation
