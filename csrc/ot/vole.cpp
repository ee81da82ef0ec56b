#include "ot/vole.h"

#include <algorithm>

#include "base/error.h"
#include "ot/field_products.h"

namespace petcore::ot {
namespace {

void check_size(std::size_t n) {
  check(n >= 1 && n <= kVoleMax, Code::usage, "VOLE: between 1 and 2^24 elements in one go");
}

}  // namespace

VoleSender::VoleSender(net::Channel& channel, CotSender& cot, Pool& pool)
    : channel_(channel), cot_(cot), pool_(pool) {}

void VoleSender::extend(const net::Step& step, std::span<Block> b) {
  check_size(b.size());
  multiply_as_sender(step, cot_, b);
}

VoleReceiver::VoleReceiver(net::Channel& channel, CotReceiver& cot, Pool& pool)
    : channel_(channel), cot_(cot), pool_(pool) {}

void VoleReceiver::extend(const net::Step& step, std::span<Block> a, std::span<Block> c) {
  check_size(a.size());
  check(a.size() == c.size(), Code::usage, "VOLE: a and c have different sizes");
  multiply_as_receiver(step, cot_, a, c);
}

}  // namespace petcore::ot
