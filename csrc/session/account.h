// Account: what one client of the dealer used, and how much it may use in a day. Shared by all the
// sessions of that client; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "correlation/request.h"

namespace petcore::session {

class Account {
 public:
  // bytes_per_day counts from midnight UTC, or from the start of the process; 0: no bound.
  Account(std::string client, std::uint64_t bytes_per_day)
      : client_(std::move(client)), bytes_per_day_(bytes_per_day) {}

  // charge notes the bytes of a request that is about to be answered, and, where they are counted,
  // its units; or it raises Code::limit, naming the client.
  void charge(const correlation::Request& request, std::uint64_t bytes, bool counted);

  struct Used {
    std::uint64_t requests = 0, bytes = 0, bytes_today = 0;
    std::map<correlation::Kind, std::uint64_t> units;
  };
  Used used() const;

 private:
  const std::string client_;
  const std::uint64_t bytes_per_day_;
  mutable std::mutex mutex_;
  Used used_;
  std::int64_t day_ = 0;
};

}  // namespace petcore::session
