// Opens a region of code compiled for the avx2 tier with carry-less products of whole vectors. See
// region_avx2.h for the rules.
#pragma once

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,pclmul,vpclmulqdq"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,pclmul,vpclmulqdq")
#endif
