// Transfers: a VOLE in each direction, made when it is first needed; the base OTs run once.
#pragma once

#include <memory>

#include "ot/extension.h"
#include "ot/vole.h"
#include "session/session.h"

namespace petcore::session {

struct Session::Transfers {
  std::unique_ptr<ot::CotSender> cot_sender;
  std::unique_ptr<ot::CotReceiver> cot_receiver;
  std::unique_ptr<ot::VoleSender> sender;
  std::unique_ptr<ot::VoleReceiver> receiver;
};

}  // namespace petcore::session
