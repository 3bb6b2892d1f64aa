// SPDX-License-Identifier: GPL-2.0-only
#include "lib/limits.hh"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/counts.hh"

namespace harness
{

namespace
{

enum class Privilege { off, on };

Result<> set_lock_privilege(Privilege privilege)
{
	__user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
	__user_cap_data_struct sets[2];
	if (::syscall(SYS_capget, &header, sets) != 0)
		return fail_errno();
	constexpr auto bit = 1u << CAP_IPC_LOCK;
	static_assert(CAP_IPC_LOCK < 32);
	sets[0].effective = privilege == Privilege::on ? sets[0].effective | bit : sets[0].effective & ~bit;
	return zero_expected(::syscall(SYS_capset, &header, sets));
}

} // namespace

Result<Locked_memory_limit> Locked_memory_limit::set(std::uint64_t room)
{
	rlimit now;
	if (::getrlimit(RLIMIT_MEMLOCK, &now) != 0)
		return fail_errno();
	rlimit lower{.rlim_cur = Counts::now().locked + room, .rlim_max = now.rlim_max};
	if (lower.rlim_cur > lower.rlim_max)
		lower.rlim_max = lower.rlim_cur; // root may
	if (::setrlimit(RLIMIT_MEMLOCK, &lower) != 0)
		return fail_errno();
	if (auto dropped = set_lock_privilege(Privilege::off); !dropped)
		return std::unexpected{dropped.error()};
	return Locked_memory_limit{now.rlim_cur};
}

Locked_memory_limit::~Locked_memory_limit()
{
	if (!armed_)
		return;
	(void)set_lock_privilege(Privilege::on);
	rlimit now;
	if (::getrlimit(RLIMIT_MEMLOCK, &now) != 0)
		return;
	now.rlim_cur = saved_ < now.rlim_max ? saved_ : now.rlim_max;
	(void)::setrlimit(RLIMIT_MEMLOCK, &now);
}

} // namespace harness
