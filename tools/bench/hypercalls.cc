// SPDX-License-Identifier: GPL-2.0-only
#include "hypercalls.hh"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "lib/platform.hh"
#include "lib/sysfs.hh"

namespace bench
{

namespace
{

// H_GET_TCE, H_PUT_TCE, H_STUFF_TCE, H_PUT_TCE_INDIRECT; an interrupt meanwhile may make others.
constexpr const char *tce_calls = "opcode == 0x1c || opcode == 0x20 || opcode == 0x138 || opcode == 0x13c";

} // namespace

Result<Hypercalls> Hypercalls::count()
{
	if (platform().powernv)
		return fail(ENOENT);
	auto id = parse_number(read_line("/sys/kernel/tracing/events/powerpc/hcall_entry/id").value_or(""));
	if (!id)
		return fail(ENOENT);
	perf_event_attr attr{};
	attr.type = PERF_TYPE_TRACEPOINT;
	attr.size = sizeof attr;
	attr.config = *id;
	attr.disabled = 1;
	Fd fd{static_cast<int>(::syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC))};
	if (!fd || ::ioctl(fd.get(), PERF_EVENT_IOC_SET_FILTER, tce_calls) != 0 ||
	    ::ioctl(fd.get(), PERF_EVENT_IOC_ENABLE, 0) != 0)
		return fail_errno();
	return Hypercalls{std::move(fd)};
}

Result<std::uint64_t> Hypercalls::so_far() const
{
	std::uint64_t count = 0;
	if (::read(fd_.get(), &count, sizeof count) != sizeof count)
		return fail_errno();
	return count;
}

} // namespace bench
