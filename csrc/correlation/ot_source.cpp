#include "correlation/ot_source.h"

#include <string>

namespace petcore::correlation {

OtSource::OtSource(std::shared_ptr<net::Channel> offline, int party, Pool& pool)
    : offline_(std::move(offline)), party_(party), pool_(pool) {}

void OtSource::plan(const net::Step&, std::span<Request> requests) {
  for (const Request& request : requests)
    throw Error(Code::usage, std::string("no correlation of kind ") + kind_name(request.kind) +
                                 " is made without a dealer yet; use correlations = dealer");
}

void OtSource::masks(std::initializer_list<Take>) {
  throw Error(Code::internal, "an operation takes more correlations than it planned");
}

void OtSource::products(std::initializer_list<Words>) {
  throw Error(Code::internal, "an operation takes more correlations than it planned");
}

void OtSource::finish() {}

}  // namespace petcore::correlation
