// SPDX-License-Identifier: GPL-2.0-only
// ABI.md, defects: calls side by side. What each of them gets is chance; that the counts, the windows and the memory
// are right when all have ended is not. Of use on a guest of two CPUs.
#include <atomic>
#include <barrier>
#include <thread>

#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

using namespace std::chrono_literals;
constexpr auto duration = 700ms;
constexpr const char *row = "defects: MAP and UNMAP against each other, REMOVE, UNREGISTER, the first MAP's default "
			    "window, UNSET_CONTAINER: excluded, or safe side by side";

// Every action again and again, each in a thread of its own.
template <typename... Action>
void side_by_side(Action... action)
{
	std::atomic<bool> stop = false;
	auto repeat = [&stop](auto what) {
		while (!stop)
			what();
	};
	std::vector<std::jthread> threads;
	(threads.emplace_back([repeat, action] { repeat(action); }), ...);
	std::this_thread::sleep_for(duration);
	stop = true;
}

constexpr std::uint64_t pages = 8;

Result<> map_at_free(Bench &b, std::uint64_t vaddr) { return map(b, b.iova(Bench::free_page), vaddr, pages * 4096); }

// Two threads put two regions there, a third one takes away what is there.
Result<> map_against_unmap(Bench &b)
{
	if (auto done = register_extra(b); !done)
		return done;
	side_by_side([&b] { (void)map_at_free(b, b.extra().address()); },
		     [&b] { (void)map_at_free(b, b.vaddr(Bench::free_unit)); }, [&b] { (void)unmap_free(b); });
	if (auto done = unmap_free(b); !done)
		return done;
	return unregister_extra(b);
}

// A region comes and goes while it is mapped; in the end it is registered or not, mapped or not.
Result<> map_against_unregister(Bench &b)
{
	side_by_side([&b] { (void)map_at_free(b, b.extra().address()); },
		     [&b] { (void)unmap_free(b), (void)unregister_extra(b), (void)register_extra(b); });
	(void)register_extra(b);
	if (auto done = unmap_free(b); !done)
		return done;
	return unregister_extra(b);
}

Result<> map_against_remove(Bench &b)
{
	auto start = b.ddw->start(), page = b.ddw->page();
	side_by_side([&b, start, page] { (void)map(b, start + 4 * page, b.vaddr(Bench::free_unit), page); },
		     [&b, start, page] { (void)b.container().unmap(start, 16 * page); },
		     [&b] {
			     (void)b.ddw->remove();
			     if (auto again = Window::create(b.container(), page_shift(), Bench::ddw_size))
				     b.ddw.emplace(std::move(*again));
		     });
	return map(b, b.ddw->start(), b.vaddr(Bench::ddw_unit), page);
}

// ---- the group leaves and comes back ----

Result<> come_back(Bench &b)
{
	if (auto done = b.group().set_container(b.container()); !done)
		return done;
	return b.container().set_iommu(type_v2);
}

// Both are the first MAP of a container: one default window, with both translations in it.
Result<> first_map_twice(Bench &b)
{
	if (auto done = b.container().register_memory(b.memory().address(), b.memory().size()); !done)
		return done;
	std::barrier together{2};
	Result<> other;
	std::jthread thread{[&] {
		together.arrive_and_wait();
		other = map(b, b.iova(Bench::scratch_page), b.vaddr(Bench::scratch_unit), 4096);
	}};
	together.arrive_and_wait();
	auto done = map(b, b.iova(Bench::witness_page), b.vaddr(Bench::witness_unit), 4096);
	thread.join();
	return done ? other : done;
}
Result<> first_maps(Bench &b)
{
	// On bare metal to close a device and to open it again takes four seconds.
	for (int i = platform().powernv ? 16 : 0; i < 20; ++i) {
		if (auto done = first_map_twice(b); !done)
			return done;
		b.rig().close_device();
		if (auto done = b.group().unset_container(); !done)
			return done;
		if (auto done = come_back(b); !done)
			return done;
		if (auto done = b.rig().open_device(); !done)
			return done;
	}
	return {};
}

Result<> map_against_unset(Bench &b)
{
	b.rig().close_device();
	side_by_side([&b] { (void)register_extra(b), (void)map_at_free(b, b.extra().address()); },
		     [&b] { (void)unmap_free(b), (void)unregister_extra(b); },
		     [&b] { (void)b.group().unset_container(), (void)come_back(b); });
	(void)b.group().unset_container();
	if (auto done = come_back(b); !done)
		return done;
	return b.rig().open_device();
}

const Case cases[] = {
	{.name = "defect/concurrent-map-unmap", .row = row, .call = map_against_unmap},
	{.name = "defect/concurrent-unregister", .row = row, .call = map_against_unregister},
	{.name = "defect/concurrent-remove",
	 .row = row,
	 .stage = Stage::with_ddw,
	 .call = map_against_remove,
	 .afterwards = Afterwards::changed},
	{.name = "defect/concurrent-first-map",
	 .row = row,
	 .stage = Stage::fresh,
	 .call = first_maps,
	 .afterwards = Afterwards::changed},
	{.name = "defect/concurrent-unset",
	 .row = row,
	 .stage = Stage::fresh,
	 .call = map_against_unset,
	 .afterwards = Afterwards::changed},
};

} // namespace

std::span<const Case> concurrent_cases() { return cases; }

} // namespace harness::abi
