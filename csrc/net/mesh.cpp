#include "net/mesh.h"

#include <utility>

namespace petcore::net {
namespace {

constexpr milliseconds kServicePeriod{100};

}  // namespace

Mesh::Mesh(std::map<int, std::shared_ptr<Channel>> channels, std::function<void()> interrupted)
    : channels_(std::move(channels)), service_(std::make_shared<Service>()) {
  for (const auto& [id, channel] : channels_) {
    const Channel* self = channel.get();
    channel->set_watch([service = service_, self, interrupted] {
      if (interrupted) interrupted();
      const std::lock_guard lock(service->mutex);
      if (service->failure && service->failed != self) throw Error(*service->failure);
    });
  }
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

std::optional<Error> Mesh::failure() const {
  const std::lock_guard lock(service_->mutex);
  return service_->failure;
}

void Mesh::check() const {
  if (const auto error = failure()) throw Error(*error);
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
    std::unique_lock lock(service_->mutex);
    if (service_->wake.wait_for(lock, kServicePeriod, [this] { return service_->stopping; }))
      return;
  }
}

void Mesh::note(const Channel& channel) {
  auto error = channel.failure();
  if (!error) return;
  const std::lock_guard lock(service_->mutex);
  if (service_->failure) return;
  service_->failure = std::move(error);
  service_->failed = &channel;
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
