// OtStock: for requests so small that the flights and the least block of an extension would cost
// more than what they ask for, some units are made ahead, and each is handed out once.
//
// What is made ahead of one kind grows with what was used of it: as much as was asked for before,
// up to a limit. So a single request pays for itself only, a long run of them for twice what it
// needs at most. Both parties see the same requests and so make the same.
#pragma once

#include <functional>
#include <vector>

#include "correlation/ot_making.h"

namespace petcore::correlation {

class OtStock {
 public:
  // make gives a chunk of so many units; its masks and products are new.
  using Make = std::function<Chunk(const Request& request)>;

  // serves says whether a request is small and of a kind that is cut between units.
  static bool serves(const Request& request);
  // has says whether take would make nothing.
  bool has(const Request& request) const;
  // take gives the chunk of a request that is served.
  Chunk take(const Request& request, const Make& make);

 private:
  struct Shelf {
    Request request;  // what was made last
    Chunk chunk;
    std::uint64_t next = 0;  // the first unit that was never handed out
    std::uint64_t asked = 0;
  };
  static bool holds(const Shelf& shelf, const Request& request);
  Shelf& shelf_of(const Request& request);

  std::vector<Shelf> shelves_;
};

}  // namespace petcore::correlation
