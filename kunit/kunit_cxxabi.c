// SPDX-License-Identifier: GPL-2.0-only
/* The suites' module has nothing else of glue/. */
#include "../glue/cxxabi.c"
