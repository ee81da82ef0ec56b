// Opens a region of code compiled for the neon tier, with the AES instructions of its crypto
// extension. See region_avx2.h for the rules.
#pragma once

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("aes"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("+crypto")
#endif
