// Stop: a flag by which one thread asks another to end its wait.
#pragma once

#include <atomic>

namespace petcore {

class Stop {
 public:
  void set() noexcept { flag_.store(true, std::memory_order_relaxed); }
  bool is_set() const noexcept { return flag_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> flag_{false};
};

}  // namespace petcore
