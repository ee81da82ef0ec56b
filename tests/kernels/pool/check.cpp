// Exercises the thread pool; exits with the number of the first expectation that does not hold.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/pool.h"

using petcore::Pool;

namespace {

void expect(bool holds, int number) {
  if (!holds) _exit(number);
}

bool covers(Pool& pool, std::size_t n, std::size_t grain) {
  std::vector<std::atomic<int>> seen(n);
  std::atomic<bool> fits = true;
  pool.parallel_for(n, grain, [&](std::size_t begin, std::size_t end) {
    if (end - begin < std::min(n, grain)) fits = false;
    for (std::size_t i = begin; i < end; ++i) ++seen[i];
  });
  for (const auto& times : seen)
    if (times != 1) return false;
  return fits;
}

// Whether exactly `num_threads` take part: each waits in its first part until all have come.
bool meet(Pool& pool, std::size_t num_threads) {
  std::mutex mutex;
  std::condition_variable arrived;
  std::set<std::thread::id> ids;
  pool.parallel_for(64, 1, [&](std::size_t, std::size_t) {
    std::unique_lock lock(mutex);
    ids.insert(std::this_thread::get_id());
    arrived.notify_all();
    arrived.wait_for(lock, std::chrono::seconds(20), [&] { return ids.size() >= num_threads; });
  });
  return ids.size() == num_threads;
}

void check_ranges() {
  for (const std::size_t threads : {1, 2, 5}) {
    Pool pool(threads);
    for (const std::size_t n : {0, 1, 2, 7, 100, 10007})
      for (const std::size_t grain : {0, 1, 3, 100}) expect(covers(pool, n, grain), 1);
    expect(meet(pool, threads), 2);
  }
}

void check_failures() {
  Pool pool(4);
  for (int i = 0; i < 100; ++i) {
    try {
      pool.parallel_for(1000, 1, [](std::size_t begin, std::size_t) {
        if (begin >= 500) throw std::runtime_error("from a body");
      });
      expect(false, 3);
    } catch (const std::runtime_error& error) {
      expect(std::string(error.what()) == "from a body", 4);
    }
    expect(covers(pool, 100, 1), 5);
  }
}

void check_nesting() {
  Pool pool(3);
  std::atomic<bool> inner = true;
  pool.parallel_for(6, 1, [&](std::size_t, std::size_t) {
    if (!covers(pool, 50, 1)) inner = false;
  });
  expect(inner, 6);
  std::vector<std::thread> callers;
  std::atomic<bool> both = true;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int j = 0; j < 200; ++j)
        if (!covers(pool, 97, 2)) both = false;
    });
  for (std::thread& caller : callers) caller.join();
  expect(both, 7);
}

void check_sizes() {
  for (const std::size_t threads : {std::size_t{0}, petcore::kThreadsMax + 1}) try {
      const Pool pool(threads);
      expect(false, 8);
    } catch (const petcore::Error& error) {
      expect(error.code() == petcore::Code::usage, 9);
    }
}

void check_fork() {
  auto pool = std::make_unique<Pool>(3);
  expect(meet(*pool, 3), 10);
  const pid_t child = fork();
  if (child == 0) {
    alarm(30);  // ends a child that hangs
    const bool alone = meet(*pool, 1) && covers(*pool, 1000, 1);
    pool.reset();
    _exit(alone ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  expect(status == 0, 11);
  expect(meet(*pool, 3), 12);
}

}  // namespace

int main() {
  check_ranges();
  check_failures();
  check_nesting();
  check_sizes();
  check_fork();
  return 0;
}
