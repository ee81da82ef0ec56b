// Opens a region of code compiled for the aesni tier with SHA-256. See region_avx2.h for the rules.
#pragma once

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("sha,sse4.1"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("sha,sse4.1")
#endif
