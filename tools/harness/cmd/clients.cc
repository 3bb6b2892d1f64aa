// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/clients.hh"

#include <algorithm>

#include "lib/counts.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"

namespace harness
{

namespace
{

struct Client {
	const char *name;
	const char *what;
	void (*play)(Scene &);
};

constexpr Client all_clients[] = {
	{"qemu", "QEMU: windows made and removed under a guest, replay of per-page maps", play_qemu},
	{"qemu-10.1", "QEMU 10.1 and later: the same, and each window is asked for once", play_qemu_10_1},
	{"vfio-ppc", "the vfio-ppc tests: many maps, one unmap; a range mapped twice", play_vfio_ppc},
	{"dpdk", "DPDK: one large window, segments registered and mapped", play_dpdk},
	{"dpdk-ports", "DPDK: 64 TiB of 2 MiB pages, and two ports in two PEs", play_dpdk_ports},
};

void play(Report &report, const Client &client, const Pci_function &function)
{
	report.heading(client.what);
	mark(std::string{"client "} + client.name);
	auto before = Counts::now();
	auto tree = tree_windows(function);
	{
		Scene scene{report, function};
		client.play(scene);
	}
	auto after = settled(before);
	report.check(std::string{client.name} + ": VmLck and pinned pages are back after close", after == before,
		     difference(before, after));
	auto now = tree_windows(function);
	report.check(std::string{client.name} + ": device tree is as before", now == tree, to_string(now));
}

} // namespace

bool Scene::attach()
{
	auto opened = Rig::open(function);
	if (!report.step("open container, group, device; SET_IOMMU type 7", opened))
		return false;
	rig = std::move(*opened);
	auto told = container().get_info();
	if (!report.step("GET_INFO", told))
		return false;
	info = *told;
	return true;
}

bool Scene::register_memory(const Buffer &buffer)
{
	return report.step(fmt::format("REGISTER_MEMORY {} KiB", buffer.size() >> 10),
			   container().register_memory(buffer.address(), buffer.size()));
}

std::optional<Geometry> Scene::create(std::string_view what, unsigned shift, std::uint64_t size, Levels levels)
{
	Result<std::uint64_t> start = fail(EINVAL);
	auto level = levels.first;
	for (; level <= levels.last; ++level)
		if ((start = container().tce_create(shift, size, level)))
			break;
	report.step(fmt::format("TCE_CREATE {} ({} KiB pages, {} MiB)", what, (1ull << shift) >> 10, size >> 20),
		    start);
	if (!start)
		return std::nullopt;
	report.note(fmt::format("start_addr {:#x}, with {} levels", *start, level));
	return Geometry{*start, size, shift};
}

void Scene::moves(Probe &probe, std::string_view what, std::uint64_t ioba, const Pieces &pieces)
{
	expect_reach(report, fmt::format("device writes: {}", what), probe.write(ioba, pieces), Reach::arrived);
	expect_reach(report, fmt::format("device reads: {}", what), probe.read(ioba, pieces), Reach::arrived);
}

void Scene::cannot(Probe &probe, std::string_view what, std::uint64_t ioba, const Pieces &pieces)
{
	expect_reach(report, fmt::format("device does not write: {}", what), probe.write(ioba, pieces), Reach::nothing);
	expect_reach(report, fmt::format("device does not read: {}", what), probe.read(ioba, pieces), Reach::nothing);
}

std::optional<Backing> take_huge(Scene &scene, std::size_t pages)
{
	constexpr unsigned shift = 21;
	if (scene.info.ddw.pgsizes & 1ull << shift) {
		if (auto huge = Buffer::huge(pages << shift, shift))
			return Backing{std::move(*huge), shift};
		scene.report.note("no huge pages of 2 MiB here: IOMMU pages of the kernel's size instead");
	} else {
		scene.report.note("no IOMMU pages of 2 MiB here: the kernel's size instead");
	}
	auto small = Buffer::anonymous(pages << page_shift());
	if (!scene.report.step("allocate memory", small))
		return std::nullopt;
	return Backing{std::move(*small), page_shift()};
}

std::vector<std::string> client_names()
{
	std::vector<std::string> names;
	for (auto &client : all_clients)
		names.emplace_back(client.name);
	return names;
}

bool run_clients(const Clients_options &options)
{
	Report report;
	report.heading(fmt::format("public clients, driver {}", name_of(options.driver)));
	auto kmsg = Kmsg::follow(options.expected);
	auto function = prepare(report, options);
	if (!function || !report.step("follow the kernel's log", kmsg))
		return false;
	for (auto &client : all_clients)
		if (options.only.empty() || std::ranges::count(options.only, client.name))
			play(report, client, *function);
	check_splats(report, kmsg);
	check_expected(report, kmsg);
	report.heading(fmt::format("served by: {}", name_of(options.driver)));
	report.summary();
	return report.good();
}

} // namespace harness
