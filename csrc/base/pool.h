// Pool: threads that share large work with the thread that brings it.
//
// The caller works too and never waits for a thread that has not begun: on a machine that is busy
// elsewhere it does all the work itself. Who does which part is left to chance, so parts must be
// independent; then the result does not depend on the number of threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/process.h"

namespace petcore {

constexpr std::size_t kThreadsMax = 1024;

class Pool {
 public:
  using Body = std::function<void(std::size_t begin, std::size_t end)>;

  // Pool starts no thread before the first work that is worth one, and none if threads is 1.
  // 1 <= threads <= kThreadsMax, or Code::usage.
  explicit Pool(std::size_t threads = 1);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  std::size_t threads() const { return threads_; }

  // parallel_for calls body for disjoint ranges that together are [0, n), each of at least `grain`
  // items, and returns when all are done. What a body throws first is thrown here, and ranges that
  // nobody has begun are dropped. A call from inside a body, from a second thread meanwhile, or in
  // a child of fork() uses no other thread.
  void parallel_for(std::size_t n, std::size_t grain, const Body& body);

 private:
  struct Crew;

  const Born born_;
  const std::size_t threads_;
  std::unique_ptr<Crew> crew_;
};

}  // namespace petcore
