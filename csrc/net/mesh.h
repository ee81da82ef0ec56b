// Mesh: the links of one session and the one thread that keeps them alive while the owner computes.
// A failure on one link ends the waits on all others. Not to be carried across fork().
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "net/channel.h"

namespace petcore::net {

class Mesh {
 public:
  // channels: by party id. The mesh starts its thread and installs a watch on every channel.
  // `interrupted` is called in every wait of the owner; what it throws ends the wait.
  explicit Mesh(std::map<int, std::shared_ptr<Channel>> channels,
                std::function<void()> interrupted = {});
  ~Mesh();  // stops the thread; says nothing to the peers
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  Channel& channel(int id) const;
  const std::map<int, std::shared_ptr<Channel>>& channels() const { return channels_; }

  // failure is the first one of any link; check raises it.
  std::optional<Error> failure() const;
  void check() const;

  // abort_all tells every peer why this party gives up; close_all says goodbye. Both stop the
  // thread, neither throws.
  void abort_all(const Error& error, const Step& step) noexcept;
  void close_all() noexcept;

 private:
  void run();
  void stop() noexcept;
  void note(const Channel& channel);

  std::map<int, std::shared_ptr<Channel>> channels_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::optional<Error> failure_;
  const Channel* failed_ = nullptr;
  std::thread thread_;
};

}  // namespace petcore::net
