// SPDX-License-Identifier: GPL-2.0-only
// How the engine answers: a value or the one reason why not. TRY() hands a reason on to the caller.
#pragma once

#include <expected>
#include <utility>

#include "tcewin/engine.h"

namespace tcewin
{

using Error = tcewin_status; // never TCEWIN_OK

// libc++ does not declare std::expected nodiscard; clang-tidy (bugprone-unused-return-value) refuses a dropped one.
template <class T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] constexpr std::unexpected<Error> fail(Error why) { return std::unexpected{why}; }

// A status of the host as a Result.
[[nodiscard]] constexpr Result<> from_status(int status)
{
	if (status == TCEWIN_OK)
		return {};
	return fail(static_cast<Error>(status));
}

// The one way out through the C interface.
[[nodiscard]] constexpr int to_status(const Result<> &r) { return r ? TCEWIN_OK : r.error(); }

template <class T>
constexpr T unwrap(Result<T> &&r)
{
	if constexpr (!std::is_void_v<T>)
		return std::move(*r);
}

} // namespace tcewin

// The value of a Result, or a return from the calling function with its error.
#define TRY(...)                                                                                                       \
	({                                                                                                             \
		auto try_result = (__VA_ARGS__);                                                                       \
		if (!try_result)                                                                                       \
			return ::std::unexpected{try_result.error()};                                                  \
		::tcewin::unwrap(::std::move(try_result));                                                             \
	})
