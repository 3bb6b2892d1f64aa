// SPDX-License-Identifier: GPL-2.0-only
// QEMU (hw/vfio/spapr.c): all RAM registered, the default window removed before anything else, windows made as the
// guest makes its own, each of its TCEs an UNMAP and a MAP of a page, and replay of all of them.
#include <bit>

#include "cmd/clients.hh"

namespace harness
{

namespace
{

constexpr std::uint32_t last_level = 6;

// With how many levels QEMU asks for a window of @entries TCEs where GET_INFO tells of @supported.
using Asks = Levels (*)(std::uint32_t supported, std::uint64_t entries);

Levels up_to_10_0(std::uint32_t, std::uint64_t) { return {2, last_level}; }

// One level is asked for once, and what is refused is not asked for again; the levels may be none.
Levels since_10_1(std::uint32_t supported, std::uint64_t entries)
{
	auto levels = static_cast<std::uint32_t>(std::countr_zero(entries * 8)) / (page_shift() + 8);
	return supported > 1 ? Levels{levels + 1, last_level} : Levels{levels, levels};
}
constexpr std::size_t ram_pages = 80, replayed = 64, scratch = 79; // IOMMU pages of 4 KiB

class Guest
{
public:
	Guest(Scene &scene, const Buffer &ram, Asks asks) : scene_{scene}, ram_{ram}, asks_{asks} {}

	std::optional<Geometry> create(std::string_view what, unsigned shift, std::uint64_t size) const
	{
		return scene_.create(what, shift, size, asks_(scene_.info.ddw.levels, size >> shift));
	}

	// vfio_dma_map(): only EBUSY makes it unmap and try again.
	Result<> map(std::uint64_t iova, std::size_t page) const
	{
		auto vaddr = ram_.address() + page * 4096;
		auto done = scene_.container().map(iova, vaddr, 4096, Access::both);
		if (done || done.error() != Errno{EBUSY})
			return done;
		if (auto gone = scene_.container().unmap(iova, 4096); !gone)
			return gone;
		return scene_.container().map(iova, vaddr, 4096, Access::both);
	}

	// Every TCE of the guest's table, page n of the window at page n * step of the memory.
	bool replay(std::string_view what, const Geometry &window, std::size_t step)
	{
		step_ = step;
		Result<> done;
		for (std::size_t page = 0; page < replayed && done; ++page)
			done = map(window.start + page * 4096, at(page));
		if (done)
			done = map(window.end() - 4096, scratch);
		return scene_.report.step(fmt::format("MAP_DMA page by page: {}", what), done);
	}

	std::size_t at(std::size_t page) const { return page * step_ % replayed; }
	Pieces border(std::size_t page) const // the end of a page, and the beginning of the next
	{
		return {ram_.bytes(at(page) * 4096 + 4000, 96), ram_.bytes(at(page + 1) * 4096, 300)};
	}
	Probe probe(const Geometry &window) const
	{
		return {scene_.rig->edu(), ram_.bytes(scratch * 4096, 4096), window.end() - 4096, ram_.bytes()};
	}
	void reaches(std::string_view what, const Geometry &window) const
	{
		auto p = probe(window);
		for (std::size_t page : {std::size_t{0}, std::size_t{17}, replayed - 2})
			scene_.moves(p, fmt::format("{}, page {}", what, page), window.start + page * 4096 + 4000,
				     border(page));
	}

private:
	Scene &scene_;
	const Buffer &ram_;
	Asks asks_;
	std::size_t step_ = 1;
};

// The guest's H_PUT_TCE over a TCE that is valid, then of 0.
void put_tce(Scene &scene, const Guest &guest, const Buffer &ram, const Geometry &window)
{
	auto iova = window.start + 5 * 4096;
	scene.report.step("UNMAP_DMA a page", scene.container().unmap(iova, 4096));
	scene.report.step("MAP_DMA it elsewhere", guest.map(iova, 70));
	auto probe = guest.probe(window);
	scene.moves(probe, "the page moved", iova + 8, {ram.bytes(70 * 4096 + 8, 64)});
	scene.report.step("UNMAP_DMA it", scene.container().unmap(iova, 4096));
	scene.report.step("UNMAP_DMA it again", scene.container().unmap(iova, 4096));
	scene.cannot(probe, "the page cleared", iova + 8, {ram.bytes(70 * 4096 + 8, 64)});
}

// The guest finds DDW, makes a second window, lives in it and drops it.
void second_window(Scene &scene, Guest &guest, const Buffer &ram, const Geometry &first)
{
	auto ddw = guest.create("the guest's DDW", page_shift(), 256 << 20);
	if (!ddw)
		return;
	auto probe = guest.probe(first);
	auto pages = page_size() / 4096;
	scene.report.step("MAP_DMA in the DDW",
			  scene.container().map(ddw->start, ram.address(), ddw->page(), Access::both));
	scene.moves(probe, "through the DDW", ddw->start + 16, {ram.bytes(16, 500)});
	scene.report.step("UNMAP_DMA all of the DDW", scene.container().unmap(ddw->start, ddw->size));
	scene.cannot(probe, "through the DDW", ddw->start + 16, {ram.bytes(16, 500)});
	scene.report.step(
		"MAP_DMA in the DDW again",
		scene.container().map(ddw->start, ram.address() + 16 / pages * ddw->page(), ddw->page(), Access::both));
	scene.report.step("TCE_REMOVE the DDW, mapped", scene.container().tce_remove(ddw->start));
	scene.cannot(probe, "through the DDW removed", ddw->start + 16,
		     {ram.bytes(16 / pages * ddw->page() + 16, 500)});
}

void play(Scene &scene, Asks asks)
{
	auto ram = Buffer::anonymous(ram_pages * 4096 + (-(ram_pages * 4096) & (page_size() - 1)), 1 << 16);
	if (!scene.report.step("allocate the guest's memory", ram) || !scene.attach() || !scene.register_memory(*ram))
		return;
	auto start = scene.info.dma32_window_start;
	auto size = scene.info.dma32_window_size;
	auto &container = scene.container();
	scene.report.step("TCE_REMOVE the default window, never touched", container.tce_remove(start));
	scene.report.step("MAP_DMA there", container.map(start, ram->address(), 4096, Access::both), Errno{ENXIO});
	Guest guest{scene, *ram, asks};
	auto window = guest.create("the guest's default window", 12, size);
	if (!window)
		return;
	scene.report.check("it is where the guest has it", window->start == start, fmt::format("{:#x}", window->start));

	if (!guest.replay("the guest's table", *window, 1))
		return;
	guest.reaches("replayed", *window);
	guest.replay("the same again, over it", *window, 1);
	guest.reaches("replayed twice", *window);
	guest.replay("other pages, over it", *window, 5);
	guest.reaches("replaced", *window);
	put_tce(scene, guest, *ram, *window);
	second_window(scene, guest, *ram, *window);

	scene.report.step("UNMAP_DMA all of the default window", container.unmap(window->start, window->size));
	scene.report.step("TCE_REMOVE the default window", container.tce_remove(window->start));
	window = guest.create("the default window after a reset", 12, size);
	if (!window)
		return;
	scene.report.check("it is where the guest has it", window->start == start, fmt::format("{:#x}", window->start));
	auto old = guest.border(17);
	if (auto mapped = container.map(window->end() - 4096, ram->address() + scratch * 4096, 4096, Access::both);
	    scene.report.step("MAP_DMA the scratch only", mapped)) {
		auto probe = guest.probe(*window);
		scene.cannot(probe, "what the old window had", start + 17 * 4096 + 4000, old);
	}
	guest.replay("the guest's table after a reset", *window, 3);
	guest.reaches("after a reset", *window);
	scene.report.note("close with everything mapped");
}

} // namespace

void play_qemu(Scene &scene) { play(scene, up_to_10_0); }
void play_qemu_10_1(Scene &scene) { play(scene, since_10_1); }

} // namespace harness
