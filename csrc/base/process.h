// Born: remembers the process that made an object. After fork() the child holds copies of seeds,
// record counters and locks; using them would hand out every mask and nonce a second time.
#pragma once

#include <unistd.h>

namespace petcore {

class Born {
 public:
  bool here() const { return process_ == ::getpid(); }

 private:
  pid_t process_ = ::getpid();
};

}  // namespace petcore
