// Opens a region of code compiled for the aesni tier. Include standard headers first, close the
// region with region_end.h, and keep everything between in an anonymous namespace: an inline
// function that the linker could share with other files would crash processors without the tier.
#pragma once

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("aes,sse4.1"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("aes,sse4.1")
#endif
