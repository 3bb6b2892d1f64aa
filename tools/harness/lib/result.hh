// SPDX-License-Identifier: GPL-2.0-only
// What every call of the library answers with: a value, or the errno that the kernel gave.
// A call that promises 0 and gets a positive number is a failure too, kept as such ("+5"),
// because the contract forbids positive results and the suites must be able to name one.
#pragma once

#include <cerrno>
#include <compare>
#include <expected>
#include <string>

namespace harness
{

class Errno
{
public:
	constexpr explicit Errno(int code) : code_{code} {}

	static constexpr Errno positive(int result) { return Errno{-result}; }
	static Errno last() { return Errno{errno}; }

	constexpr int code() const { return code_; }
	std::string name() const; // "EINVAL", or "+5" for a positive result

	friend constexpr bool operator==(Errno, Errno) = default;

private:
	int code_;
};

template <typename T = void>
using Result = std::expected<T, Errno>;

inline std::unexpected<Errno> fail(int code) { return std::unexpected{Errno{code}}; }
inline std::unexpected<Errno> fail_errno() { return std::unexpected{Errno::last()}; }

// A system call's -1 becomes an errno; any other number is the result.
inline Result<long> checked(long result)
{
	if (result == -1)
		return fail_errno();
	return result;
}

// For calls that promise 0.
inline Result<> zero_expected(long result)
{
	if (result == -1)
		return fail_errno();
	if (result != 0)
		return std::unexpected{Errno::positive(static_cast<int>(result))};
	return {};
}

// "ok" or the errno's name.
template <typename T>
std::string outcome(const Result<T> &result)
{
	return result ? "ok" : result.error().name();
}

} // namespace harness
