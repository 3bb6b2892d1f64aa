// SPDX-License-Identifier: GPL-2.0-only
// The vfio-ppc tests: the default window filled from its start in chunks of 64 KiB and emptied by one UNMAP; 4 GiB of
// 2 MiB pages, mapped twice over each other. Memory is less than that: pages come again and again.
#include "cmd/clients.hh"

namespace harness
{

namespace
{

constexpr std::size_t chunk = 1 << 16, chunks = 64;
constexpr std::uint64_t range = 4ull << 30;
constexpr std::size_t huge_pages = 8;

void default_window(Scene &scene, const Buffer &memory)
{
	auto &container = scene.container();
	std::uint64_t start = scene.info.dma32_window_start, size = scene.info.dma32_window_size;
	auto count = size / chunk; // the last one holds the scratch
	auto spot = [&](std::uint64_t n) { return memory.bytes((n * 7 % chunks) * chunk + chunk - 200, 200); };
	auto then = [&](std::uint64_t n) { return memory.bytes((n * 7 % chunks) * chunk, 300); };
	Result<> done;
	for (std::uint64_t n = 0; n < count && done; ++n)
		done = container.map(start + n * chunk, memory.address() + (n * 7 % chunks) * chunk, chunk,
				     Access::both);
	if (!scene.report.step(fmt::format("MAP_DMA {} chunks of 64 KiB from {:#x}", count, start), done))
		return;
	auto scratch = ((count - 1) * 7 % chunks) * chunk;
	Probe full{scene.rig->edu(), memory.bytes(scratch, 4096), start + (count - 1) * chunk, memory.bytes()};
	for (auto n : {std::uint64_t{0}, count / 3, count / 2})
		scene.moves(full, fmt::format("chunk {} and the next", n), start + (n + 1) * chunk - 200,
			    {spot(n), then(n + 1)});

	scene.report.step("UNMAP_DMA all of it at once", container.unmap(start, size));
	scene.report.step("MAP_DMA a scratch", container.map(start, memory.address(), 4096, Access::both));
	Probe empty{scene.rig->edu(), memory.bytes(0, 4096), start, memory.bytes()};
	for (auto n : {std::uint64_t{1}, count / 3, count - 2})
		scene.cannot(empty, fmt::format("chunk {} and the next", n), start + (n + 1) * chunk - 200,
			     {spot(n), then(n + 1)});
}

bool map_range(Scene &scene, const Geometry &window, const Backing &backing, std::size_t shift)
{
	Result<> done;
	auto count = window.size >> window.page_shift;
	for (std::uint64_t n = 0; n < count && done; ++n)
		done = scene.container().map(window.start + n * window.page(), backing.address(n + shift),
					     window.page(), Access::both);
	return scene.report.step(fmt::format("MAP_DMA {} pages, page n of memory at n + {}", count, shift), done);
}

// Needs a scratch at the default window's start.
void twice(Scene &scene, const Buffer &memory)
{
	auto backing = take_huge(scene, huge_pages);
	if (!backing || !scene.register_memory(backing->buffer))
		return;
	auto size = backing->shift == 21 ? range : range >> 6; // as many pages take too long
	auto window = scene.create("a DDW", backing->shift, size, {1, 1});
	if (!window)
		return;
	auto count = size >> backing->shift;
	Probe probe{scene.rig->edu(), memory.bytes(0, 4096), scene.info.dma32_window_start, backing->buffer.bytes()};
	auto page = backing->page();
	auto border = [&](std::uint64_t n, std::size_t shift) {
		return Pieces{backing->at(n + shift, page - 100, 100), backing->at(n + 1 + shift, 0, 333)};
	};
	for (std::size_t shift : {0, 3}) {
		if (!map_range(scene, *window, *backing, shift))
			return;
		for (auto n : {std::uint64_t{0}, count / 2 + 1, count - 2})
			scene.moves(probe, fmt::format("pages {} and {}", n, n + 1),
				    window->start + (n + 1) * page - 100, border(n, shift));
	}
	scene.report.step("UNMAP_DMA all of it at once", scene.container().unmap(window->start, size));
	scene.cannot(probe, "page 0 and 1", window->start + page - 100, border(0, 3));
	scene.cannot(probe, "the last pages", window->start + (count - 1) * page - 100, border(count - 2, 3));
	scene.report.step("TCE_REMOVE the DDW", scene.container().tce_remove(window->start));
	scene.report.step("UNREGISTER_MEMORY",
			  scene.container().unregister_memory(backing->buffer.address(), backing->buffer.size()));
}

} // namespace

void play_vfio_ppc(Scene &scene)
{
	auto memory = Buffer::anonymous(chunks * chunk, chunk);
	if (!scene.report.step("allocate memory", memory) || !scene.attach() || !scene.register_memory(*memory))
		return;
	default_window(scene, *memory);
	twice(scene, *memory);
}

} // namespace harness
