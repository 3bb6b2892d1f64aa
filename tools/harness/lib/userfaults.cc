// SPDX-License-Identifier: GPL-2.0-only
#include "lib/userfaults.hh"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/buffer.hh"

namespace harness
{

Result<Userfaults> Userfaults::open()
{
	Fd fd{static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))};
	uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
	if (!fd || ::ioctl(fd.get(), UFFDIO_API, &api) != 0)
		return fail_errno();
	return Userfaults{std::move(fd)};
}

Result<> Userfaults::watch(std::uint64_t address, std::size_t size) const
{
	uffdio_register range{
		.range = {.start = address, .len = size}, .mode = UFFDIO_REGISTER_MODE_MISSING, .ioctls = 0};
	if (::ioctl(fd_.get(), UFFDIO_REGISTER, &range) != 0)
		return fail_errno();
	return {};
}

Result<> Userfaults::give(std::uint64_t page, const void *content) const
{
	uffdio_copy copy{
		.dst = page, .src = reinterpret_cast<std::uint64_t>(content), .len = page_size(), .mode = 0, .copy = 0};
	if (::ioctl(fd_.get(), UFFDIO_COPY, &copy) != 0)
		return fail_errno();
	return {};
}

} // namespace harness
