// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/held_pages.hh"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/buffer.hh"

namespace harness::fuzz
{

namespace
{

constexpr int poll_busy = 2, poll_idle = 20; // ms

} // namespace

Held_pages::Held_pages(Content content, Due due)
	: content_{std::move(content)}, due_{std::move(due)}, faults_{Userfaults::open()}
{
	if (faults_)
		server_ = std::thread{[this] { serve(); }};
}

Held_pages::~Held_pages()
{
	stop_ = true;
	if (server_.joinable())
		server_.join();
}

bool Held_pages::add(std::uint64_t address, std::size_t size) { return faults_ && faults_->watch(address, size); }

void Held_pages::serve()
{
	while (!stop_) {
		pollfd ready{.fd = faults_->fd(), .events = POLLIN, .revents = 0};
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
	while (::read(faults_->fd(), &message, sizeof message) == sizeof message)
		if (message.event == UFFD_EVENT_PAGEFAULT)
			waiting_.push_back({message.arg.pagefault.address & ~(page_size() - 1), Clock::now()});
}

void Held_pages::answer(std::uint64_t page) const
{
	if (faults_->give(page, content_(page)))
		return;
	// The page is gone, or there already; who waits for it is to look again.
	uffdio_range range{.start = page, .len = page_size()};
	::ioctl(faults_->fd(), UFFDIO_WAKE, &range);
}

} // namespace harness::fuzz
