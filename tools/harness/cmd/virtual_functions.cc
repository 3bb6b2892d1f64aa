// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/virtual_functions.hh"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "lib/buffer.hh"
#include "lib/counts.hh"
#include "lib/device.hh"
#include "lib/igb_vf.hh"
#include "lib/kmsg.hh"
#include "lib/modules.hh"
#include "lib/pci.hh"
#include "lib/platform.hh"
#include "lib/region.hh"
#include "lib/sysfs.hh"
#include "lib/window.hh"

namespace harness
{

namespace
{

constexpr std::size_t memory_size = 1 << 20;

// ---- the network interface of a function that the kernel drives ----

std::optional<std::string> interface_of(const Pci_function &function)
{
	std::unique_ptr<DIR, int (*)(DIR *)> dir{::opendir(function.sysfs("net").c_str()), ::closedir};
	while (auto entry = dir ? ::readdir(dir.get()) : nullptr)
		if (entry->d_name[0] != '.')
			return entry->d_name;
	return std::nullopt;
}

Result<> bring_up(const std::string &name)
{
	Fd socket{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
	if (!socket)
		return fail_errno();
	ifreq request{};
	name.copy(request.ifr_name, sizeof request.ifr_name - 1);
	if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0)
		return fail_errno();
	request.ifr_flags |= IFF_UP;
	return zero_expected(::ioctl(socket.get(), SIOCSIFFLAGS, &request));
}

std::uint64_t transmitted(const Pci_function &function, const std::string &name)
{
	auto line = read_line(function.sysfs("net/" + name + "/statistics/tx_packets"));
	return line ? parse_number(*line).value_or(0) : 0;
}

Result<> send_one(const std::string &name)
{
	Fd socket{::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
	if (!socket)
		return fail_errno();
	sockaddr_ll to{};
	to.sll_family = AF_PACKET;
	to.sll_ifindex = static_cast<int>(::if_nametoindex(name.c_str()));
	std::array<unsigned char, 60> frame{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
	auto sent = ::sendto(socket.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr *>(&to),
			     sizeof to);
	return sent == static_cast<ssize_t>(frame.size()) ? Result<>{} : fail_errno();
}

template <typename Condition>
bool comes_true(Condition condition)
{
	for (int i = 0; i < 300; ++i) {
		if (condition())
			return true;
		::usleep(100'000);
	}
	return false;
}

// The driver counts a packet when the device has written back that it has sent it.
void kernel_transmits(Report &report, const Pci_function &function, std::string_view when)
{
	auto what = fmt::format("{}: {} of the kernel's", when, function.address());
	auto name = interface_of(function);
	if (!report.check(what + " has its driver", function.driver() == "igb" && name,
			  function.driver().value_or("none")))
		return;
	if (!report.step(what + " comes up", bring_up(*name)))
		return;
	const auto before = transmitted(function, *name);
	bool moved = comes_true([&] {
		(void)send_one(*name); // ENETDOWN until it has a carrier
		return transmitted(function, *name) > before;
	});
	report.check(what + " transmits", moved, fmt::format("{} packets", transmitted(function, *name) - before));
}

// ---- a user of one of them ----

struct Chain {
	Container container;
	Group group;
	std::optional<Device> device;
};

Result<std::unique_ptr<Chain>> open(const Pci_function &function)
{
	auto number = function.group();
	auto container = Container::open();
	auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
	if (!container || !group)
		return std::unexpected{container ? group.error() : container.error()};
	auto chain = std::make_unique<Chain>(std::move(*container), std::move(*group), std::nullopt);
	if (auto set = chain->group.set_container(chain->container); !set)
		return std::unexpected{set.error()};
	if (auto set = chain->container.set_iommu(type_v2); !set)
		return std::unexpected{set.error()};
	auto device = Device::open(chain->group, function.address());
	if (!device)
		return std::unexpected{device.error()};
	chain->device.emplace(std::move(*device));
	if (auto master = chain->device->set_bus_master(Bus_master::on); !master)
		return std::unexpected{master.error()};
	return chain;
}

void moves_in(Report &report, Igb_vf &vf, const Container &container, const Region &region, std::uint64_t start,
	      std::string_view window)
{
	auto mapping = Mapping::make(container, start, region.address(), page_size());
	if (!report.step(fmt::format("{}: MAP_DMA a page", window), mapping))
		return;
	auto ring = region.buffer().bytes(0, Igb_vf::ring_size);
	report.step(fmt::format("{}: the device reads and writes there", window), vf.fetch(ring, start));
	if (!report.step(fmt::format("{}: UNMAP_DMA", window), mapping->unmap()))
		return;
	report.step(fmt::format("{}: the device does not any more", window), vf.fetch(ring, start), Errno{ETIMEDOUT});
}

void use(Report &report, Igb_vf &vf, const Container &container, Buffer memory, const std::function<void()> &meanwhile)
{
	auto info = container.get_info();
	auto region = Region::enroll(container, std::move(memory));
	if (!report.step("GET_INFO", info) || !report.step("REGISTER_MEMORY", region))
		return;
	report.check("windows can be made", info->flags & VFIO_IOMMU_SPAPR_INFO_DDW,
		     fmt::format("flags {:#x}", info->flags));
	moves_in(report, vf, container, *region, info->dma32_window_start, "default window");
	auto ddw = Window::create(container, page_shift(), beyond_memory);
	if (!report.step("TCE_CREATE", ddw))
		return;
	moves_in(report, vf, container, *region, ddw->start(), "DDW");
	meanwhile();
	auto alive = Mapping::make(container, ddw->start(), region->address(), page_size());
	if (!report.step("DDW: MAP_DMA a page that stays", alive))
		return;
	auto ring = region->buffer().bytes(0, Igb_vf::ring_size);
	report.step("the device reaches it", vf.fetch(ring, ddw->start()));
	report.step("TCE_REMOVE the DDW", ddw->remove());
	alive->forget();
	report.step("the device does not reach it any more", vf.fetch(ring, ddw->start()), Errno{ETIMEDOUT});
}

void user_has(Report &report, Driver driver, Igb_vf &vf, const Pci_function &function,
	      const std::function<void()> &meanwhile)
{
	report.heading(fmt::format("a user has {}", function.address()));
	auto memory = Buffer::anonymous(memory_size, 1 << 16);
	if (!report.step("memory of the user's", memory) || !report.step("bind it to vfio-pci", function.bind_vfio()))
		return;
	const auto before = Counts::rested();
	{
		Serving_watch watch;
		auto chain = open(function);
		auto served = watch.served();
		if (report.step("open container, group, device; SET_IOMMU type 7", chain)) {
			report.check("the driver that serves", served == driver, to_text(served));
			use(report, vf, (*chain)->container, std::move(*memory), meanwhile);
		}
	}
	const auto after = settled(before);
	report.check("VmLck and pinned pages are back", after == before, difference(before, after));
	report.step("back to the kernel", function.unbind_vfio());
}

std::vector<Pci_function> make(Report &report, const Pci_function &physical, unsigned number)
{
	report.step(fmt::format("{} virtual functions", number),
		    write_file(physical.sysfs("sriov_numvfs"), fmt::format("{}", number)));
	auto functions = pci_functions(igb_vf_id);
	report.check("they are there", functions.size() == number, fmt::format("{}", functions.size()));
	for (auto &function : functions) {
		auto group = function.group();
		auto sharing = std::ranges::count_if(pci_functions(),
						     [&](auto &other) { return group && other.group() == group; });
		report.check(fmt::format("{} is a PE without a node", function.address()),
			     sharing == 1 && !exists(function.sysfs("of_node")), fmt::format("{} in it", sharing));
	}
	return functions;
}

void whole_life(Report &report, const Options &options, const Pci_function &physical, Igb_vf &vf)
{
	for (unsigned round = 1; round <= 2; ++round) {
		report.heading(fmt::format("virtual functions come, time {}", round));
		auto functions = make(report, physical, 2);
		if (functions.size() != 2)
			return;
		user_has(report, options.driver, vf, functions[0],
			 [&] { kernel_transmits(report, physical, "meanwhile"); });
		make(report, physical, 0);
	}
}

} // namespace

bool run_virtual_functions(const Options &options)
{
	Report report;
	report.heading(fmt::format("virtual functions, driver {}", name_of(options.driver)));
	report.note(kernel_line());
	auto kmsg = Kmsg::follow(options.expected);
	auto physical = pci_functions(igb_id);
	if (!report.check("an igb device", physical.size() == 1, fmt::format("{}", physical.size())) ||
	    !report.step("modprobe vfio-pci", modprobe("vfio-pci")) || !report.step("modprobe igb", modprobe("igb")) ||
	    !report.step(fmt::format("load {} and only it", module_of(options.driver)),
			 load_only(options.driver, options.source)))
		return false;
	auto idle = module_refs(module_of(options.driver));
	kernel_transmits(report, physical[0], "at first");
	auto vf = Igb_vf::of(physical[0]);
	if (report.step("its registers", vf))
		whole_life(report, options, physical[0], **vf);
	kernel_transmits(report, physical[0], "at last");
	check_rmmod(report, options.driver, idle);
	return end(report, kmsg);
}

} // namespace harness
