// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/drivers.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/moves.hh"

namespace harness
{

namespace
{

class Drivers
{
public:
	Drivers(Report &report, const Drivers_options &options, const Pci_function &function)
		: report_{report}, options_{options}, function_{function}
	{
	}

	void in_order(Driver first, Driver second)
	{
		report_.heading(fmt::format("loaded in this order: {}, {}", name_of(first), name_of(second)));
		if (!start_with(first) || !add(second))
			return;
		serves("a container opened now is served by", Driver::tcewin);
	}

	// A container that is in use, and one that is only open, while the other driver comes.
	void across_load(Driver first)
	{
		auto second = other(first);
		report_.heading(
			fmt::format("containers open while {} is loaded beside {}", name_of(second), name_of(first)));
		if (!start_with(first))
			return;
		auto idle = Container::open();
		auto unused = module_refs(module_of(first));
		auto rig = Rig::open(function_);
		if (!report_.step("open one container, set another one up", rig) || !idle || !add(second))
			return;
		bool held = module_refs(module_of(first)) > unused && module_refs(module_of(second)) == 0;
		report_.check("the one in use stays with", held, held ? name_of(first) : "somebody else");
		report_.check("and works", moves_data(**rig), "asked");
		rig->reset();
		set_up_idle(*idle);
		serves("a container opened after it is served by", Driver::tcewin);
	}

	void refusals()
	{
		for (bool with_in_tree : {false, true}) {
			report_.heading(fmt::format("types that are refused, {} the in-tree driver",
						    with_in_tree ? "with" : "without"));
			if (!start_with(Driver::tcewin) || (with_in_tree && !add(Driver::in_tree)))
				return;
			auto unknown = Rig::open(function_, 99);
			report_.step("SET_IOMMU 99", unknown, Errno{ENODEV});
			Serving_watch watch;
			auto first_version = Rig::open(function_, type_v1);
			report_.note(fmt::format("SET_IOMMU 2 (v1): {}, served by {}", outcome(first_version),
						 to_text(watch.served())));
		}
	}

	// The core answers what it heard from the driver that it asked last.
	void refused_twice(Errno last)
	{
		for (auto when : {"SET_IOMMU 7", "and once more"}) {
			auto rig = Rig::open(function_);
			report_.step(when, rig, last);
		}
	}

	// A PE without DDW is refused a v2 container, and the core goes on to offer it to the next driver, which would
	// take it.
	void without_ddw()
	{
		if (stays(Driver::tcewin)) {
			refused_twice(Errno{EPERM}); // the in-tree driver was loaded first
			refuses({Driver::tcewin});
			refuses({Driver::tcewin, Driver::in_tree});
			return;
		}
		shows_what_in_tree_does();
		refuses({Driver::tcewin});
		refuses({Driver::tcewin, Driver::in_tree});
		refuses({Driver::in_tree, Driver::tcewin});
		if (clear())
			shows_what_in_tree_does(); // what ours did to have its way is undone
	}

	void unload_in_use()
	{
		report_.heading("rmmod while a container is open");
		if (!start_with(Driver::tcewin))
			return;
		auto unused = module_refs(module_of(Driver::tcewin));
		auto rig = Rig::open(function_);
		if (!report_.step("set a container up", rig))
			return;
		report_.check("it is held", module_refs(module_of(Driver::tcewin)) > unused, "asked");
		auto refused = rmmod(module_of(Driver::tcewin));
		bool busy = !refused && (refused.error() == Errno{EWOULDBLOCK} || refused.error() == Errno{EBUSY});
		report_.check("rmmod tcewin is refused", busy, outcome(refused));
		report_.check("and the container works", moves_data(**rig), "asked");
		rig->reset();
		check_rmmod(report_, Driver::tcewin, unused);
	}

	void serves(std::string_view what, Driver wanted)
	{
		auto rig = Rig::open(function_);
		if (!report_.step("set a container up", rig))
			return;
		auto served = (*rig)->served_by();
		report_.check(what, served == wanted, to_text(served));
		report_.check("and works", moves_data(**rig), "asked");
	}

private:
	bool clear()
	{
		auto one = unload(Driver::in_tree);
		if (stays(Driver::tcewin))
			return report_.step("unload in-tree; tcewin stays", one);
		auto two = unload(Driver::tcewin);
		return report_.step("unload both", one ? two : one);
	}
	bool start_with(Driver driver)
	{
		return clear() && report_.step(fmt::format("load {}", name_of(driver)), load(driver, options_.source));
	}
	bool add(Driver driver)
	{
		return report_.step(fmt::format("then load {}", name_of(driver)), load(driver, options_.source));
	}

	void shows_what_in_tree_does()
	{
		report_.heading("a PE without DDW, the in-tree driver alone");
		if (!start_with(Driver::in_tree))
			return;
		auto rig = Rig::open(function_);
		report_.note(fmt::format("SET_IOMMU 7: {}", outcome(rig)));
	}

	void refuses(const std::vector<Driver> &loaded)
	{
		std::string names;
		for (auto driver : loaded)
			names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(driver));
		report_.heading(fmt::format("a PE without DDW, loaded in this order: {}", names));
		if (!clear())
			return;
		for (auto driver : loaded)
			if (!add(driver))
				return;
		refused_twice(Errno{EINVAL});
	}

	// The container was open, without a group, when the second driver came.
	void set_up_idle(const Container &idle)
	{
		auto number = function_.group();
		auto group = number ? Group::open(*number) : Result<Group>{std::unexpected{number.error()}};
		if (!report_.step("open the group for the idle container", group))
			return;
		Serving_watch watch;
		if (!report_.step("SET_CONTAINER", group->set_container(idle)))
			return;
		report_.step("SET_IOMMU 7", idle.set_iommu(type_v2));
		report_.check("the one that was only open is served by", watch.served() == Driver::tcewin,
			      to_text(watch.served()));
	}

	Report &report_;
	const Drivers_options &options_;
	const Pci_function &function_;
};

void with_ddw(Drivers &drivers, const Drivers_options &options)
{
	auto wanted = [&options](Order order) {
		return options.orders.empty() || std::ranges::count(options.orders, order) > 0;
	};
	if (wanted(Order::tcewin_first))
		drivers.in_order(Driver::tcewin, Driver::in_tree);
	if (wanted(Order::in_tree_first))
		drivers.in_order(Driver::in_tree, Driver::tcewin);
	if (wanted(Order::open_across_load)) {
		drivers.across_load(Driver::tcewin);
		drivers.across_load(Driver::in_tree);
	}
	if (options.orders.empty()) {
		drivers.refusals();
		drivers.unload_in_use();
	}
}

// Where tcewin stays it comes but once, here behind the in-tree driver. No container of that one's can be in use
// before: it is shown that nothing can be bound.
std::optional<Pci_function> come_behind_in_tree(Report &report, const Drivers_options &options)
{
	report.heading("the in-tree driver alone");
	if (!report.step("modprobe vfio-pci", modprobe("vfio-pci")) ||
	    !report.check("tcewin was not loaded before", !module_loaded(module_of(Driver::tcewin)), "asked") ||
	    !report.step("load in-tree", load(Driver::in_tree, options.source)))
		return std::nullopt;
	auto function = Rig::find();
	if (!report.step("find an edu device (1234:11e8)", function))
		return std::nullopt;
	report.step(fmt::format("bind {} to vfio-pci", function->address()), function->bind_vfio(), Errno{ENODEV});
	if (!report.step("then load tcewin", load(Driver::tcewin, options.source)) ||
	    !report.step(fmt::format("bind {} to vfio-pci", function->address()), function->bind_vfio()))
		return std::nullopt;
	return *function;
}

void where_it_stays(Drivers &drivers)
{
	drivers.serves("a container is served by", Driver::tcewin);
	drivers.in_order(Driver::tcewin, Driver::in_tree);
	drivers.across_load(Driver::tcewin);
	drivers.refusals();
	drivers.unload_in_use();
}

} // namespace

bool run_drivers(const Drivers_options &options)
{
	Report report;
	report.heading("which driver serves");
	auto kmsg = Kmsg::follow(options.expected);
	const bool once = stays(Driver::tcewin);
	if (once && !report.check("all that is possible, in one order", options.orders.empty(), "asked"))
		return false;
	auto function = once ? come_behind_in_tree(report, options) : prepare(report, options);
	if (!function)
		return false;

	Drivers drivers{report, options, *function};
	if (!has_ddw(*function))
		drivers.without_ddw();
	else if (once)
		where_it_stays(drivers);
	else
		with_ddw(drivers, options);
	return end(report, kmsg);
}

} // namespace harness
