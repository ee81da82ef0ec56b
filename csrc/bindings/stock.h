// The stock of a session; the class itself is bound with its operations.
#pragma once

#include <pybind11/pybind11.h>

#include "session/session.h"

namespace petcore::bindings {

void bind_stock(pybind11::class_<session::Session>& type);

}  // namespace petcore::bindings
