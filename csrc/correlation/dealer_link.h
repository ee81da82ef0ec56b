// DealerLink: a party's link to the dealer, which may outlive the connection.
//
// Where the link can be mended, a connection that goes away is replaced by a new one: a thread of
// its own dials again and introduces this party, while the owner computes; it gives up when
// `patience` is over, or at once where the dealer refuses. Then every wait of the session ends with
// the error, which names the dealer. What was asked and not yet received is the owner's to ask
// again (Position in correlation/dealer.h).
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/process.h"
#include "base/stop.h"
#include "net/mesh.h"

namespace petcore::correlation {

class DealerLink {
 public:
  using Channel = std::shared_ptr<net::Channel>;
  // Dial connects within a time, raises Code::unreachable otherwise, and looks at stop meanwhile.
  using Dial = std::function<Channel(net::milliseconds timeout, const std::shared_ptr<Stop>& stop)>;
  // Introduce says over a new connection who comes again.
  using Introduce = std::function<void(net::Channel&)>;

  // The channel is the one at `id` of the mesh.
  DealerLink(Channel channel, net::Mesh& mesh, int id);
  ~DealerLink();
  DealerLink(const DealerLink&) = delete;
  DealerLink& operator=(const DealerLink&) = delete;

  // mend makes the link one that can be mended; called once.
  void mend(Dial dial, Introduce introduce, net::milliseconds patience);

  Channel channel() const;
  // renewed is called by the owner when a call on `broken` raised `error`: it waits for the channel
  // that takes its place, or raises why there is none: `error` itself if it means more than a
  // connection that went away. `wait` is called meanwhile; what it throws ends the wait.
  Channel renewed(const Channel& broken, const Error& error, const std::function<void()>& wait);
  // counters sums up all channels so far.
  net::Counters counters() const;
  // stop ends the mending; the link stays as it is.
  void stop() noexcept;

 private:
  bool take_up(const Channel& broken, const Error& error);
  void run(Channel broken, Error cause);
  Channel dial_again(net::Clock::time_point end, Error& cause);

  const Born born_;
  net::Mesh& mesh_;
  const int id_;
  mutable std::mutex mutex_;
  std::unique_ptr<std::condition_variable> changed_;
  Channel channel_;
  std::optional<Error> failure_;
  bool mending_ = false;  // a thread is at it
  net::Counters earlier_;
  Dial dial_;
  Introduce introduce_;
  net::milliseconds patience_{0};
  const std::shared_ptr<Stop> stop_ = std::make_shared<Stop>();
  std::thread thread_;
};

}  // namespace petcore::correlation
