// SPDX-License-Identifier: GPL-2.0-only
// DPDK (lib/eal/linux/eal_vfio.c): the default window gives way to one over all addresses, of huge pages; segments are
// registered and mapped, unmapped and unregistered. It needs that window at 0, and gives up where firmware puts it
// elsewhere (QEMU puts it at 0); then the rest is played all the same, from the window's start.
#include "cmd/clients.hh"
#include "lib/neighbour.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t reach = 32ull << 40; // bytes: a power of two over the highest address
constexpr std::size_t segments = 6;	     // and a scratch, the last page

struct Segment {
	std::uint64_t iova;
	std::size_t page; // of the memory
};

class Eal
{
public:
	Eal(Scene &scene, const Geometry &window, const Backing &backing)
		: scene_{scene}, window_{window}, backing_{backing},
		  probe_{scene.rig->edu(), backing.at(segments, 0, 4096), window.start, backing.buffer.bytes()}
	{
	}

	// Segment n, as far apart as the window allows.
	Segment segment(std::size_t n) const
	{
		auto gap = window_.size / (segments + 1) & ~(window_.page() - 1);
		return {window_.start + (n + 1) * gap, n};
	}
	Pieces some(const Segment &s) const { return {backing_.at(s.page, 77, 1000)}; }

	bool add(const Segment &s)
	{
		auto name = fmt::format("segment {}", s.page);
		auto &container = scene_.container();
		if (!scene_.report.step("REGISTER_MEMORY " + name,
					container.register_memory(backing_.address(s.page), backing_.page())))
			return false;
		return scene_.report.step("MAP_DMA " + name, container.map(s.iova, backing_.address(s.page),
									   backing_.page(), Access::both));
	}
	void unregister(const Segment &s, Errno expected = expect_ok)
	{
		scene_.report.step(fmt::format("UNREGISTER_MEMORY segment {}", s.page),
				   scene_.container().unregister_memory(backing_.address(s.page), backing_.page()),
				   expected);
	}
	bool add_scratch() { return add({window_.start, segments}); }
	// By another device.
	void moves(const Edu &edu, const Segment &s)
	{
		Probe probe{edu, backing_.at(segments, 0, 4096), window_.start, backing_.buffer.bytes()};
		scene_.moves(probe, fmt::format("segment {}, second port", s.page), s.iova + 77, some(s));
	}
	void cannot(const Edu &edu, const Segment &s)
	{
		Probe probe{edu, backing_.at(segments, 0, 4096), window_.start, backing_.buffer.bytes()};
		scene_.cannot(probe, fmt::format("segment {}, second port", s.page), s.iova + 77, some(s));
	}
	void moves(const Segment &s) { scene_.moves(probe_, fmt::format("segment {}", s.page), s.iova + 77, some(s)); }
	void cannot(const Segment &s)
	{
		scene_.cannot(probe_, fmt::format("segment {}", s.page), s.iova + 77, some(s));
	}
	void drop(const Segment &s)
	{
		scene_.report.step(fmt::format("UNMAP_DMA segment {}", s.page),
				   scene_.container().unmap(s.iova, backing_.page()));
		cannot(s);
		unregister(s);
	}

	// 22.11, and every later one to the main of July 2026, fills in the structure of MAP: where UNMAP has its iova,
	// that has vaddr, 0 here; where it has its size, that has iova.
	void drop_as_22_11(const Segment &s, Errno expected)
	{
		vfio_iommu_type1_dma_map map{};
		map.argsz = sizeof(vfio_iommu_type1_dma_unmap);
		map.size = backing_.page();
		map.iova = s.iova;
		auto seen = scene_.container().ioctl(VFIO_IOMMU_UNMAP_DMA, &map);
		scene_.report.step(fmt::format("UNMAP_DMA segment {} by the structure of MAP", s.page), seen, expected);
	}

private:
	Scene &scene_;
	const Geometry &window_;
	const Backing &backing_;
	Probe probe_;
};

bool remove_default(Scene &scene)
{
	return scene.report.step("TCE_REMOVE the default window",
				 scene.container().tce_remove(scene.info.dma32_window_start));
}

void large_window(Scene &scene)
{
	if (!scene.attach() || !remove_default(scene))
		return;
	auto backing = take_huge(scene, segments + 1);
	if (!backing)
		return;
	auto size = backing->shift == 21 ? reach : reach >> 9; // as many pages
	auto window = scene.create("one window for all", backing->shift, size, {1, scene.info.ddw.levels});
	if (!window)
		return;
	scene.report.note(window->start ? "DPDK ends here: it needs start_addr 0" : "start_addr is what DPDK needs");
	Eal eal{scene, *window, *backing};
	if (!eal.add_scratch())
		return;
	for (std::size_t n = 0; n < segments; ++n)
		if (!eal.add(eal.segment(n)))
			return;
	for (std::size_t n = 0; n < segments; ++n)
		eal.moves(eal.segment(n));
	eal.drop(eal.segment(2));
	eal.moves(eal.segment(3));
	if (eal.add(eal.segment(2)))
		eal.moves(eal.segment(2));
	eal.drop(eal.segment(0));

	// 22.11's UNMAP names address 0, where no window is unless this one is there.
	auto last = eal.segment(segments - 1);
	bool at_zero = window->start == 0;
	eal.drop_as_22_11(last, Errno{at_zero ? 0 : ENXIO});
	eal.unregister(last, Errno{EBUSY});
	if (!at_zero)
		eal.moves(last);
	scene.report.note("close with everything mapped");
}

// The same habit, in a window at 0: the default one, back.
void window_at_zero(Scene &scene)
{
	if (!scene.attach() || !remove_default(scene))
		return;
	auto buffer = Buffer::anonymous((segments + 1) * page_size());
	if (!scene.report.step("allocate memory", buffer))
		return;
	Backing backing{std::move(*buffer), page_shift()};
	auto window = scene.create("a window at 0", 12, scene.info.dma32_window_size, {1, scene.info.ddw.levels});
	if (!window || !scene.report.check("start_addr is 0", window->start == 0, fmt::format("{:#x}", window->start)))
		return;
	Eal eal{scene, *window, backing};
	if (!eal.add_scratch())
		return;
	for (std::size_t n = 0; n < 3; ++n)
		if (!eal.add(eal.segment(n)))
			return;
	auto victim = eal.segment(2);
	eal.moves(victim);
	eal.drop_as_22_11(victim, expect_ok);
	eal.unregister(victim, Errno{EBUSY});
	eal.unregister(eal.segment(0)); // all below has been unmapped
	eal.unregister(eal.segment(1));
	if (scene.report.step("MAP_DMA a scratch again", scene.container().map(window->start, backing.address(segments),
									       page_size(), Access::both))) {
		eal.moves(victim);
		eal.cannot(eal.segment(1));
	}
	scene.report.note("close with it mapped");
}

std::optional<Neighbour> second_port(Scene &scene)
{
	auto function = other_pe(scene.function);
	if (!scene.report.step("find a second PE with an edu device", function))
		return std::nullopt;
	auto port = Neighbour::join(scene.container(), *function);
	if (!port && !platform().windows_by_slot) {
		// Firmware has put the first one's window where the other's default window is.
		scene.report.step("SET_CONTAINER of its group: its windows lie elsewhere", port, Errno{EPERM});
		return std::nullopt;
	}
	return scene.report.step("SET_CONTAINER of its group, its device", port)
		       ? std::optional<Neighbour>{std::move(*port)}
		       : std::nullopt;
}

// The ports see the same, whatever is mapped and unmapped; one of them goes, and the other does not notice.
void use_both(Scene &scene, Eal &eal)
{
	auto port = second_port(scene);
	for (std::size_t n = 0; port && n + 1 < segments; ++n)
		eal.moves(port->edu(), eal.segment(n));
	auto late = eal.segment(segments - 1);
	if (eal.add(late))
		eal.moves(late);
	if (port)
		eal.moves(port->edu(), late);
	eal.drop(eal.segment(1));
	if (port) {
		eal.cannot(port->edu(), eal.segment(1));
		scene.report.step("the second port leaves", port->leave());
	}
	eal.moves(late);
	eal.moves(eal.segment(0));
}

} // namespace

void play_dpdk(Scene &scene)
{
	large_window(scene);
	scene.rig.reset();
	scene.report.note("22.11 once more, in a window at 0");
	window_at_zero(scene);
}

// DPDK stops where its window does not begin at 0: on an LPAR firmware decides, and the rest is played from there.
void play_dpdk_ports(Scene &scene)
{
	if (!scene.attach() || !remove_default(scene))
		return;
	auto backing = take_huge(scene, segments + 1);
	bool none_here = platform().powernv && !huge_page_shift(21);
	if (!backing || !scene.report.check("pages of 2 MiB, where there are any", backing->shift == 21 || none_here,
					    fmt::format("{} KiB", backing->page() >> 10)))
		return;
	auto size = backing->shift == 21 ? 2 * reach : 2 * reach >> 9; // as many pages
	auto window = scene.create("one window for all", backing->shift, size, {1, scene.info.ddw.levels});
	if (!window)
		return;
	scene.report.check("start_addr", window->start == 0 || !platform().windows_by_slot,
			   fmt::format("{:#x}", window->start));
	Eal eal{scene, *window, *backing};
	if (!eal.add_scratch())
		return;
	for (std::size_t n = 0; n + 1 < segments; ++n)
		if (!eal.add(eal.segment(n)))
			return;
	eal.moves(eal.segment(0));
	eal.moves(eal.segment(segments - 2));
	use_both(scene, eal);
	for (std::size_t n : {0, 2, 3, 4, 5})
		eal.drop(eal.segment(n));
	scene.report.step("UNMAP_DMA the scratch", scene.container().unmap(window->start, backing->page()));
	eal.unregister({window->start, segments});
	scene.report.step("TCE_REMOVE the window", scene.container().tce_remove(window->start));
}

} // namespace harness
