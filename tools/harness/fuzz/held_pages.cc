// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/held_pages.hh"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/buffer.hh"

namespace harness::fuzz
{

namespace
{

constexpr int poll_busy = 2, poll_idle = 20; // ms

Fd open_faults()
{
	Fd fd{static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))};
	uffdio_api api{.api = UFFD_API, .features = 0, .ioctls = 0};
	if (fd && ::ioctl(fd.get(), UFFDIO_API, &api) != 0)
		return {};
	return fd;
}

} // namespace

Held_pages::Held_pages(Content content, Due due)
	: content_{std::move(content)}, due_{std::move(due)}, fd_{open_faults()}
{
	if (fd_)
		server_ = std::thread{[this] { serve(); }};
}

Held_pages::~Held_pages()
{
	stop_ = true;
	if (server_.joinable())
		server_.join();
}

bool Held_pages::add(std::uint64_t address, std::size_t size)
{
	uffdio_register range{
		.range = {.start = address, .len = size}, .mode = UFFDIO_REGISTER_MODE_MISSING, .ioctls = 0};
	return fd_ && ::ioctl(fd_.get(), UFFDIO_REGISTER, &range) == 0;
}

void Held_pages::serve()
{
	while (!stop_) {
		pollfd ready{.fd = fd_.get(), .events = POLLIN, .revents = 0};
		if (::poll(&ready, 1, waiting_.empty() ? poll_idle : poll_busy) > 0)
			hear();
		std::erase_if(waiting_, [&](auto &fault) {
			bool due = due_(fault.page, fault.since);
			if (due)
				answer(fault.page);
			return due;
		});
	}
}

void Held_pages::hear()
{
	uffd_msg message;
	while (::read(fd_.get(), &message, sizeof message) == sizeof message)
		if (message.event == UFFD_EVENT_PAGEFAULT)
			waiting_.push_back({message.arg.pagefault.address & ~(page_size() - 1), Clock::now()});
}

void Held_pages::answer(std::uint64_t page) const
{
	uffdio_copy copy{.dst = page,
			 .src = reinterpret_cast<std::uint64_t>(content_(page)),
			 .len = page_size(),
			 .mode = 0,
			 .copy = 0};
	if (::ioctl(fd_.get(), UFFDIO_COPY, &copy) == 0)
		return;
	// The page is gone, or there already; who waits for it is to look again.
	uffdio_range range{.start = page, .len = page_size()};
	::ioctl(fd_.get(), UFFDIO_WAKE, &range);
}

} // namespace harness::fuzz
