// The one exception type of the core. Bindings turn each code into its Python class.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace petcore {

enum class Code : std::uint8_t {
  usage,        // wrong call: dtype, shape, range, missing argument
  unreachable,  // the peer never answered the connection
  closed,       // the peer's process or its link went away
  late,         // the peer lives but missed the deadline
  silent,       // not even a heartbeat arrived
  untrusted,    // the peer's key is not the pinned one
  frame,        // bytes that are no frame, or more of them than agreed
  handshake,    // the parties do not agree on the terms of the session
  step,         // the peer runs another program or another shape
  aborted,      // the peer reported its own failure
  broken,       // the session failed earlier
  busy,         // a second thread used the session
  correlation,  // the dealer refused or answered wrongly
  store,        // a store of correlations cannot be used
  store_key,    // it is sealed under another key
  locked,       // another process uses it
  damaged,      // a file of it is not what was written
  exhausted,    // it has too little of what an operation needs
  full,         // the dealer serves as many as it may; later there may be room
  limit,        // a client asked the dealer for more than it is allowed
  cheated,      // what the dealer sent does not fit the seeds that it was given
  leaving,      // the dealer drops a session that goes on once both parties have come again
  entropy,      // the system gave no randomness
  internal,     // a defect in petcore
};

// code_name is the stable word for a code, as Python and logs show it.
const char* code_name(Code code);
// code_from_name is its inverse; an unknown word gives Code::internal.
Code code_from_name(const std::string& name);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message);
  // Error names the party, its address and the step at which it was noticed.
  Error(Code code, const std::string& message, std::string party, std::string address,
        std::string step);

  Code code() const { return code_; }
  const std::string& party() const { return party_; }
  const std::string& address() const { return address_; }
  const std::string& step() const { return step_; }

 private:
  Code code_;
  std::string party_, address_, step_;
};

// check raises Error(code, message) unless the condition holds, in release builds too.
inline void check(bool condition, Code code, const char* message) {
  if (!condition) [[unlikely]]
    throw Error(code, message);
}

}  // namespace petcore
