#include "net/mesh.h"

#include <utility>

namespace petcore::net {
namespace {

constexpr milliseconds kServicePeriod{100};

}  // namespace

Mesh::Mesh(std::map<int, std::shared_ptr<Channel>> channels, std::function<void()> interrupted)
    : channels_(std::move(channels)) {
  for (const auto& [id, channel] : channels_) {
    const Channel* self = channel.get();
    channel->set_watch([this, self, interrupted] {
      if (interrupted) interrupted();
      const std::lock_guard lock(mutex_);
      if (failure_ && failed_ != self) throw Error(*failure_);
    });
  }
  thread_ = std::thread([this] { run(); });
}

Mesh::~Mesh() {
  stop();
  for (const auto& [id, channel] : channels_) channel->set_watch({});
}

Channel& Mesh::channel(int id) const {
  const auto found = channels_.find(id);
  if (found == channels_.end())
    throw Error(Code::usage, "there is no link to party " + std::to_string(id));
  return *found->second;
}

std::optional<Error> Mesh::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Mesh::check() const {
  const std::lock_guard lock(mutex_);
  if (failure_) throw Error(*failure_);
}

void Mesh::abort_all(const Error& error, const Step& step) noexcept {
  stop();
  for (const auto& [id, channel] : channels_) channel->abort(error.code(), error.what(), step);
}

void Mesh::close_all() noexcept {
  stop();
  for (const auto& [id, channel] : channels_) channel->close();
}

void Mesh::run() {
  while (true) {
    for (const auto& [id, channel] : channels_) {
      channel->serve();
      note(*channel);
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kServicePeriod, [this] { return stopping_; })) return;
  }
}

void Mesh::note(const Channel& channel) {
  auto error = channel.failure();
  if (!error) return;
  const std::lock_guard lock(mutex_);
  if (failure_) return;
  failure_ = std::move(error);
  failed_ = &channel;
}

void Mesh::stop() noexcept {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace petcore::net
