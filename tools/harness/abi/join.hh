// SPDX-License-Identifier: GPL-2.0-only
// Another PE into the bench's container, as a call of a case.
#pragma once

#include "abi/bench.hh"

namespace harness::abi
{

template <unsigned n>
Result<> join(Bench &b)
{
	auto function = other_pe(b.function(), n);
	if (!function)
		return std::unexpected{function.error()};
	auto joined = Neighbour::join(b.container(), *function);
	if (!joined)
		return std::unexpected{joined.error()};
	b.neighbour.emplace(std::move(*joined));
	return {};
}

} // namespace harness::abi
