// Opens a region of code compiled for the avx2 tier. Include standard headers first, close the
// region with region_end.h, and keep everything between in an anonymous namespace: an inline
// function that the linker could share with other files would crash processors without the tier.
#pragma once

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,vaes,aes"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,vaes,aes")
#endif
