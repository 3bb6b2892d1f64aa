// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: UNREGISTER_MEMORY.
#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

// The good MAP of cases, but of the memory that is about to be unregistered.
Result<> register_and_map_extra(Bench &b)
{
	if (auto done = register_extra(b); !done)
		return done;
	return b.container().map(b.iova(Bench::free_page), b.extra().address(), 4096, Access::both);
}
Result<> unmap_and_unregister_extra(Bench &b)
{
	if (auto done = b.container().unmap(b.iova(Bench::free_page), 4096); !done)
		return done;
	return unregister_extra(b);
}

Result<> map_extra_twice_unmap_once(Bench &b)
{
	if (auto done = register_and_map_extra(b); !done)
		return done;
	auto second = b.iova(Bench::free_page + 9);
	if (auto done = b.container().map(second, b.extra().address(), 4096, Access::both); !done)
		return done;
	return b.container().unmap(second, 4096);
}
Result<> map_last_page_of_extra(Bench &b)
{
	if (auto done = register_extra(b); !done)
		return done;
	auto last = b.extra().address() + b.extra().size() - 4096;
	return b.container().map(b.iova(Bench::free_page), last, 4096, Access::both);
}
Result<> map_other_over_extra(Bench &b)
{
	if (auto done = register_and_map_extra(b); !done)
		return done;
	return b.container().map(b.iova(Bench::free_page), b.vaddr(Bench::free_unit), 4096, Access::both);
}
Result<> map_extra_in_ddw_and_remove(Bench &b)
{
	if (auto done = register_extra(b); !done)
		return done;
	auto free_iova = b.ddw->start() + 9 * b.ddw->page();
	if (auto done = b.container().map(free_iova, b.extra().address(), b.ddw->page(), Access::both); !done)
		return done;
	auto removed = b.ddw->remove();
	b.ddw.reset();
	return removed;
}

std::string extra_still_counts(Bench &b)
{
	auto again = register_extra(b);
	return !again && again.error() == Errno{EBUSY} ? "" : "it is no longer registered";
}

const Case cases[] = {
	{.name = "unregister/unknown",
	 .row = "UNREGISTER: unknown range: ENOENT",
	 .expected = ENOENT,
	 .call = unregister_extra},
	// Before the first REGISTER a container has no mm; the in-tree driver says EPERM, and ABI.md does not decide.
	{.name = "unregister/nothing-registered",
	 .row = "UNREGISTER: unknown range: ENOENT",
	 .expected = {ENOENT, EPERM},
	 .stage = Stage::fresh,
	 .call = unregister_extra},
	{.name = "unregister/part",
	 .row = "UNREGISTER: the exact range",
	 .expected = ENOENT,
	 .prepare = register_extra,
	 .call = [](Bench &b) { return unregister(b, b.extra().address(), page_size()); },
	 .finish = unregister_extra},
	{.name = "unregister/tail",
	 .row = "UNREGISTER: the exact range",
	 .expected = ENOENT,
	 .prepare = register_extra,
	 .call =
		 [](Bench &b) {
			 return unregister(b, b.extra().address() + page_size(), b.extra().size() - page_size());
		 },
	 .finish = unregister_extra},
	{.name = "unregister/more",
	 .row = "UNREGISTER: the exact range",
	 .expected = ENOENT,
	 .prepare = register_extra,
	 .call = [](Bench &b) { return unregister(b, b.extra().address(), b.extra().size() + page_size()); },
	 .finish = unregister_extra},
	{.name = "unregister/size-zero",
	 .row = "UNREGISTER: unknown range: ENOENT",
	 .expected = {ENOENT, EINVAL},
	 .prepare = register_extra,
	 .call = with<Call::unregister_memory, &Memory::size, 0u>,
	 .finish = unregister_extra},
	{.name = "unregister/twice",
	 .row = "UNREGISTER: unknown range: ENOENT",
	 .expected = ENOENT,
	 .prepare = register_and_unregister,
	 .call = unregister_extra},
	{.name = "defect/unregister-mapped",
	 .row = "UNREGISTER: still mapped: EBUSY",
	 .expected = EBUSY,
	 .prepare = register_and_map_extra,
	 .call = unregister_extra,
	 .verify = extra_still_counts,
	 .finish = unmap_and_unregister_extra},
	{.name = "unregister/mapped-twice",
	 .row = "UNREGISTER: still mapped: EBUSY",
	 .expected = EBUSY,
	 .prepare = map_extra_twice_unmap_once,
	 .call = unregister_extra,
	 .verify = extra_still_counts,
	 .finish = unmap_and_unregister_extra},
	{.name = "unregister/last-page-mapped",
	 .row = "UNREGISTER: still mapped: EBUSY",
	 .expected = EBUSY,
	 .prepare = map_last_page_of_extra,
	 .call = unregister_extra,
	 .verify = extra_still_counts,
	 .finish = unmap_and_unregister_extra},
	{.name = "unregister/mapped-over-by-another",
	 .row = "MAP: over an existing mapping it replaces it",
	 .prepare = map_other_over_extra,
	 .call = unregister_extra,
	 .finish = [](Bench &b) { return b.container().unmap(b.iova(Bench::free_page), 4096); }},
	{.name = "unregister/mapped-in-removed-window",
	 .row = "REMOVE: unmaps it",
	 .stage = Stage::with_ddw,
	 .prepare = map_extra_in_ddw_and_remove,
	 .call = unregister_extra,
	 .afterwards = Afterwards::changed},
};

} // namespace

std::span<const Case> unregister_cases() { return cases; }

} // namespace harness::abi
