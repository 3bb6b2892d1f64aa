// SPDX-License-Identifier: GPL-2.0-only
// Owner of a file descriptor. Closing is silent: who needs the result of close() uses release().
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

#include "lib/result.hh"

namespace harness
{

class Fd
{
public:
	Fd() = default;
	explicit Fd(int fd) : fd_{fd} {}
	Fd(Fd &&other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Fd()
	{
		if (fd_ >= 0)
			::close(fd_);
	}

	static Result<Fd> open(const char *path, int flags)
	{
		int fd = ::open(path, flags | O_CLOEXEC);
		if (fd < 0)
			return fail_errno();
		return Fd{fd};
	}

	int get() const { return fd_; }
	int release() { return std::exchange(fd_, -1); }
	explicit operator bool() const { return fd_ >= 0; }

private:
	int fd_ = -1;
};

} // namespace harness
