// SPDX-License-Identifier: GPL-2.0-only
// Windows made and removed thousands of times, with and without a mapping in them, the default window among them: not a
// byte of the kernel's may go with them.
#pragma once

#include "cmd/options.hh"

namespace harness
{

struct Churn_options : Options {
	unsigned rounds = 10000;
};

bool run_churn(const Churn_options &options);

} // namespace harness
