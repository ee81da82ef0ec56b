#include "base/pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"

namespace petcore {
namespace {

// More parts than threads, so that one which is interrupted does not hold up the others for long.
constexpr std::size_t kPartsPerThread = 2;

// Job: the work of one parallel_for and how far it is.
struct Job {
  std::size_t n, num_parts;
  const Pool::Body& body;
  std::atomic<std::size_t> next_part = 0;
  std::size_t num_helpers = 0;  // inside work(), guarded by Crew::mutex
  std::exception_ptr failure;   // likewise

  // work does parts until none is left.
  void work() {
    for (std::size_t part; (part = next_part++) < num_parts;)
      body(n / num_parts * part + std::min(part, n % num_parts),
           n / num_parts * (part + 1) + std::min(part + 1, n % num_parts));
  }
};

// Signals are the business of the threads that the program made.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

struct Pool::Crew {
  std::atomic<bool> busy = false;  // one job at a time
  std::mutex mutex;
  std::condition_variable job_posted, job_left;
  Job* job = nullptr;
  std::size_t num_posted = 0;  // tells a helper a new job from the one it left
  bool stopping = false;
  std::vector<std::thread> helpers;

  ~Crew() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    job_posted.notify_all();
    for (std::thread& helper : helpers) helper.join();
  }

  void start(std::size_t num_helpers) {
    const SignalsBlocked blocked;
    while (helpers.size() < num_helpers) helpers.emplace_back([this] { help(); });
  }

  void help() {
    std::unique_lock lock(mutex);
    for (std::size_t seen = 0;;) {
      job_posted.wait(lock, [&] { return stopping || (job != nullptr && num_posted != seen); });
      if (stopping) return;
      seen = num_posted;
      Job& mine = *job;
      ++mine.num_helpers;
      lock.unlock();
      std::exception_ptr failure = attempt(mine);
      lock.lock();
      if (failure && !mine.failure) mine.failure = std::move(failure);
      if (--mine.num_helpers == 0) job_left.notify_one();
    }
  }

  void run(Job& mine) {
    {
      const std::lock_guard lock(mutex);
      job = &mine;
      ++num_posted;
    }
    job_posted.notify_all();
    std::exception_ptr failure = attempt(mine);
    std::unique_lock lock(mutex);
    job = nullptr;  // from here on nobody joins
    job_left.wait(lock, [&] { return mine.num_helpers == 0; });
    if (!failure) failure = std::move(mine.failure);
    lock.unlock();
    if (failure) std::rethrow_exception(failure);
  }

  static std::exception_ptr attempt(Job& mine) noexcept {
    try {
      mine.work();
      return nullptr;
    } catch (...) {
      mine.next_part = mine.num_parts;
      return std::current_exception();
    }
  }
};

Pool::Pool(std::size_t threads) : threads_(threads) {
  check(threads >= 1 && threads <= kThreadsMax, Code::usage,
        "threads must be between 1 and 1024; 1 uses the caller's thread only");
  if (threads > 1) crew_ = std::make_unique<Crew>();
}

Pool::~Pool() {
  // In a child of fork() there is no thread to join, and a lock may have been held: leave it all.
  if (!born_.here()) (void)crew_.release();
}

void Pool::parallel_for(std::size_t n, std::size_t grain, const Body& body) {
  if (n == 0) return;
  const std::size_t num_parts =
      std::min(threads_ * kPartsPerThread, n / std::max<std::size_t>(grain, 1));
  if (num_parts <= 1 || !crew_ || !born_.here() || crew_->busy.exchange(true)) return body(0, n);
  struct Release {
    std::atomic<bool>& busy;
    ~Release() { busy = false; }
  } release{crew_->busy};
  crew_->start(threads_ - 1);
  Job job{.n = n, .num_parts = num_parts, .body = body, .failure = {}};
  crew_->run(job);
}

}  // namespace petcore
