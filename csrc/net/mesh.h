// Mesh: the links of one session and the one thread that keeps them alive while the owner computes.
// A failure on one link ends the waits on all others. In a child of fork() it does nothing.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/process.h"
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

  // failure is the first one of any link; check raises it. fail notes one from elsewhere.
  std::optional<Error> failure() const;
  void check() const;
  void fail(const Error& error);

  // A link that can be replaced: `mender` is asked about the first failure of each of its channels
  // and says whether it will replace the channel or call fail; it must not wait. An empty one ends
  // that, and when set_mender returns none is running.
  using Mender = std::function<bool(const std::shared_ptr<Channel>& channel, const Error& error)>;
  void set_mender(int id, Mender mender);
  // replace puts another channel in the place of a link and watches over it; not once the mesh was
  // aborted or closed.
  void replace(int id, std::shared_ptr<Channel> channel);

  // abort_all tells every peer why this party gives up; close_all says goodbye. Both stop the
  // thread, neither throws, and two threads may call them at once.
  void abort_all(const Error& error, const Step& step) noexcept;
  void close_all() noexcept;
  // stop ends the thread.
  void stop() noexcept;

 private:
  struct Service {
    std::mutex mutex, joining;
    std::condition_variable wake;
    bool stopping = false;
    std::optional<Error> failure;
    const Channel* failed = nullptr;
    std::thread thread;
  };
  void run();
  void watch(Channel& channel) const;
  void note(int id, const std::shared_ptr<Channel>& channel);
  bool mended(int id, const std::shared_ptr<Channel>& channel, const Error& error);
  std::map<int, std::shared_ptr<Channel>> channels() const;

  const Born born_;
  const std::function<void()> interrupted_;
  mutable std::mutex links_;  // guards channels_
  std::map<int, std::shared_ptr<Channel>> channels_;
  std::mutex mending_;  // guards the rest; held while a mender is asked
  std::map<int, Mender> menders_;
  std::map<int, std::shared_ptr<Channel>> broken_;  // of which the mender knows
  std::shared_ptr<Service> service_;                // the watches look at it too
};

}  // namespace petcore::net
