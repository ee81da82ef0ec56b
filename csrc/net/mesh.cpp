#include "net/mesh.h"

#include <utility>

namespace petcore::net {
namespace {

constexpr milliseconds kServicePeriod{100};

}  // namespace

Mesh::Mesh(std::map<int, std::shared_ptr<Channel>> channels, std::function<void()> interrupted)
    : interrupted_(std::move(interrupted)),
      channels_(std::move(channels)),
      service_(std::make_shared<Service>()) {
  for (const auto& [id, channel] : channels_) watch(*channel);
  service_->thread = std::thread([this] { run(); });
}

Mesh::~Mesh() {
  stop();
  for (const auto& [id, channel] : channels_) {
    try {
      channel->set_watch({});
    } catch (const Error&) {
      // Somebody is waiting there; what its watch looks at lives as long as the watch.
    }
  }
  // A child of fork() leaves it behind: threads that it lacks may hold the locks.
  if (!born_.here()) static_cast<void>(new std::shared_ptr<Service>(service_));
}

void Mesh::watch(Channel& channel) const {
  channel.set_watch([service = service_, self = &channel, interrupted = interrupted_] {
    if (interrupted) interrupted();
    const std::lock_guard lock(service->mutex);
    if (service->failure && service->failed != self) throw Error(*service->failure);
  });
}

std::optional<Error> Mesh::failure() const {
  const std::lock_guard lock(service_->mutex);
  return service_->failure;
}

void Mesh::check() const {
  if (const auto error = failure()) throw Error(*error);
}

void Mesh::fail(const Error& error) {
  const std::lock_guard lock(service_->mutex);
  if (!service_->failure) service_->failure = error;
}

void Mesh::set_mender(int id, Mender mender) {
  const std::lock_guard lock(mending_);
  menders_[id] = std::move(mender);
}

void Mesh::replace(int id, std::shared_ptr<Channel> channel) {
  watch(*channel);
  const std::lock_guard lock(links_);
  channels_[id] = std::move(channel);
}

std::map<int, std::shared_ptr<Channel>> Mesh::channels() const {
  const std::lock_guard lock(links_);
  return channels_;
}

void Mesh::abort_all(const Error& error, const Step& step) noexcept {
  if (!born_.here()) return;
  stop();
  for (const auto& [id, channel] : channels()) channel->abort(error.code(), error.what(), step);
}

void Mesh::close_all() noexcept {
  if (!born_.here()) return;
  stop();
  for (const auto& [id, channel] : channels()) channel->close();
}

void Mesh::run() {
  while (true) {
    for (const auto& [id, channel] : channels()) {
      channel->serve();
      note(id, channel);
    }
    std::unique_lock lock(service_->mutex);
    if (service_->wake.wait_for(lock, kServicePeriod, [this] { return service_->stopping; }))
      return;
  }
}

void Mesh::note(int id, const std::shared_ptr<Channel>& channel) {
  auto error = channel->failure();
  if (!error || mended(id, channel, *error)) return;
  const std::lock_guard lock(service_->mutex);
  if (service_->failure) return;
  service_->failure = std::move(error);
  service_->failed = channel.get();
}

bool Mesh::mended(int id, const std::shared_ptr<Channel>& channel, const Error& error) {
  const std::lock_guard lock(mending_);
  const auto mender = menders_.find(id);
  if (mender == menders_.end() || !mender->second) return false;
  if (broken_[id] == channel) return true;
  if (!mender->second(channel, error)) return false;
  broken_[id] = channel;
  return true;
}

void Mesh::stop() noexcept {
  if (!born_.here()) return;
  {
    const std::lock_guard lock(service_->mutex);
    service_->stopping = true;
  }
  service_->wake.notify_all();
  const std::lock_guard lock(service_->joining);
  if (service_->thread.joinable()) service_->thread.join();
}

}  // namespace petcore::net
