// SPDX-License-Identifier: GPL-2.0-only
// ABI.md, "Rules for all": argsz, flags, unreadable memory, another process's mm, unknown ioctls. The first four are
// the same sentence for seven calls, so the table is made of one row a rule and call.
#include <atomic>
#include <thread>

#include "abi/case.hh"
#include "abi/faults.hh"
#include "lib/held_page.hh"

namespace harness::abi
{

namespace
{

constexpr const char *argsz_row = "rules: argsz too small: EINVAL";
constexpr const char *flags_row = "rules: unknown flags: EINVAL";
constexpr const char *fault_row = "rules: unreadable user memory: EFAULT";
constexpr const char *foreign_row = "rules: other process's mm than the container's: EPERM";
constexpr const char *held_row = "rules: whose the container is, is asked when the argument has been read";
constexpr const char *notty_row = "rules: an ioctl unknown or of the other container type is ENOTTY";

template <unsigned long request>
Result<> plain(Bench &b)
{
	return promised_zero(b.container().ioctl(request, 0ul));
}

// The container is the child's from its first REGISTER on.
Result<> child_registers_first(Bench &b)
{
	if (auto done = in_another_process(b, register_extra); !done)
		return done;
	return register_extra(b);
}

Result<> child_creates_first(Bench &b)
{
	if (auto done = in_another_process(b, as_it_should_be<Call::create>); !done)
		return done;
	return as_it_should_be<Call::create>(b);
}
Result<> child_removes_first(Bench &b)
{
	if (auto done = in_another_process(b, as_it_should_be<Call::remove>); !done)
		return done;
	return register_extra(b);
}

// The child leaves memory registered and mapped; the container lives on in this process, which owns nothing in it.
Result<> child_maps_and_dies(Bench &b)
{
	auto mapped = in_another_process(b, [](Bench &child) {
		if (auto done = register_extra(child); !done)
			return done;
		return child.container().map(child.iova(Bench::free_page), child.extra().address(), 4096, Access::both);
	});
	return mapped ? register_extra(b) : mapped;
}

// The argument is on a page that nobody serves until the container has become another process's. Before that calls of
// this one fail, for whose length it is this one's: who looks only then, and not when he has read, acts in another's
// container.
template <Call call>
Result<> held_up(Bench &b)
{
	using namespace std::chrono_literals;
	auto page = Held_page::make();
	auto hole = Buffer::reserved(16 << 20);
	if (!page || !hole)
		return fail(page ? hole.error().code() : page.error().code());
	std::atomic<bool> enough = false;
	Result<> answer = fail(ENODATA);
	std::thread failing{[&] {
		while (!enough)
			(void)b.container().register_memory(hole->address(), hole->size());
	}};
	std::thread calling{[&] {
		while (!enough)
			answer = send<call>(b.container(), page->address());
	}};
	bool held = page->wanted(20s);
	enough = true;
	failing.join();
	auto other = held ? in_another_process(b, register_extra) : fail(ETIMEDOUT);
	auto argument = b.good<call>();
	auto given = page->give(std::as_bytes(std::span{&argument, 1}));
	calling.join();
	if (!other || !given)
		return fail(EPROTO);
	return answer;
}

constexpr auto both = Kinds::both;

const Case cases[] = {
	{.name = "get-info/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::get_info, &Info::argsz, 15u>},
	{.name = "get-info/argsz-zero",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::get_info, &Info::argsz, 0u>},
	{.name = "register/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .call = with<Call::register_memory, &Memory::argsz, 23u>},
	{.name = "unregister/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .prepare = register_extra,
	 .call = with<Call::unregister_memory, &Memory::argsz, 23u>,
	 .finish = unregister_extra},
	{.name = "create/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .call = with<Call::create, &Create::argsz, 39u>},
	{.name = "remove/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = with<Call::remove, &Remove::argsz, 15u>},
	{.name = "map/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::argsz, 31u>},
	{.name = "unmap/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::argsz, 23u>},

	{.name = "register/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .call = with<Call::register_memory, &Memory::flags, 1u>},
	{.name = "unregister/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .prepare = register_extra,
	 .call = with<Call::unregister_memory, &Memory::flags, 0x80000000u>,
	 .finish = unregister_extra},
	{.name = "create/flags", .row = flags_row, .expected = EINVAL, .call = with<Call::create, &Create::flags, 1u>},
	{.name = "remove/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .stage = Stage::with_ddw,
	 .call = with<Call::remove, &Remove::flags, 1u>},
	{.name = "map/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::map, &Map::flags, 7u>},
	{.name = "unmap/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::unmap, &Unmap::flags, 2u>},

	{.name = "get-info/null",
	 .row = fault_row,
	 .expected = EFAULT,
	 .kinds = both,
	 .call = null_argument<Call::get_info>},
	{.name = "get-info/unwritable",
	 .row = fault_row,
	 .expected = EFAULT,
	 .kinds = both,
	 .call = unwritable_argument<Call::get_info>},
	{.name = "register/null", .row = fault_row, .expected = EFAULT, .call = null_argument<Call::register_memory>},
	{.name = "register/torn", .row = fault_row, .expected = EFAULT, .call = torn_argument<Call::register_memory>},
	{.name = "unregister/null",
	 .row = fault_row,
	 .expected = EFAULT,
	 .call = null_argument<Call::unregister_memory>},
	{.name = "create/null", .row = fault_row, .expected = EFAULT, .call = null_argument<Call::create>},
	{.name = "create/torn", .row = fault_row, .expected = EFAULT, .call = torn_argument<Call::create>},
	{.name = "remove/null", .row = fault_row, .expected = EFAULT, .call = null_argument<Call::remove>},
	{.name = "map/null", .row = fault_row, .expected = EFAULT, .kinds = both, .call = null_argument<Call::map>},
	{.name = "map/torn", .row = fault_row, .expected = EFAULT, .kinds = both, .call = torn_argument<Call::map>},
	{.name = "unmap/null", .row = fault_row, .expected = EFAULT, .kinds = both, .call = null_argument<Call::unmap>},
	{.name = "unmap/torn", .row = fault_row, .expected = EFAULT, .kinds = both, .call = torn_argument<Call::unmap>},

	{.name = "get-info/foreign",
	 .row = foreign_row,
	 .expected = EPERM,
	 .kinds = both,
	 .call = foreign<Call::get_info>},
	{.name = "register/foreign", .row = foreign_row, .expected = EPERM, .call = foreign<Call::register_memory>},
	{.name = "unregister/foreign",
	 .row = foreign_row,
	 .expected = EPERM,
	 .prepare = register_extra,
	 .call = foreign<Call::unregister_memory>,
	 .finish = unregister_extra},
	{.name = "create/foreign", .row = foreign_row, .expected = EPERM, .call = foreign<Call::create>},
	{.name = "remove/foreign",
	 .row = foreign_row,
	 .expected = EPERM,
	 .stage = Stage::with_ddw,
	 .call = foreign<Call::remove>},
	{.name = "map/foreign", .row = foreign_row, .expected = EPERM, .kinds = both, .call = foreign<Call::map>},
	{.name = "unmap/foreign", .row = foreign_row, .expected = EPERM, .kinds = both, .call = foreign<Call::unmap>},
	{.name = "rules/owner-registers-first",
	 .row = "rules: the container belongs to the mm that first registers, not to the one that opened it",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = child_registers_first,
	 .afterwards = Afterwards::spent},
	{.name = "rules/owner-creates-first",
	 .row = "rules: the container belongs to the mm that first creates, not to the one that opened it",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = child_creates_first,
	 .afterwards = Afterwards::spent},
	{.name = "rules/owner-removes-first",
	 .row = "rules: the container belongs to the mm that first removes, not to the one that opened it",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = child_removes_first,
	 .afterwards = Afterwards::spent},
	{.name = "map/held-up",
	 .row = held_row,
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = held_up<Call::map>,
	 .afterwards = Afterwards::spent},
	{.name = "unmap/held-up",
	 .row = held_row,
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = held_up<Call::unmap>,
	 .afterwards = Afterwards::spent},
	{.name = "defect/dead-process-pins",
	 .row = "defects: registered memory when its process ends: all back",
	 .expected = EPERM,
	 .stage = Stage::fresh,
	 .call = child_maps_and_dies,
	 .afterwards = Afterwards::spent},

	{.name = "rules/unknown-ioctl",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .kinds = both,
	 .call = plain<_IO(VFIO_TYPE, VFIO_BASE + 99)>},
	{.name = "rules/enable-on-v2", .row = notty_row, .expected = ENOTTY, .call = plain<VFIO_IOMMU_ENABLE>},
	{.name = "rules/disable-on-v2", .row = notty_row, .expected = ENOTTY, .call = plain<VFIO_IOMMU_DISABLE>},
};

} // namespace

std::span<const Case> rule_cases() { return cases; }

} // namespace harness::abi
