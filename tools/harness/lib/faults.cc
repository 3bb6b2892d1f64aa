// SPDX-License-Identifier: GPL-2.0-only
#include "lib/faults.hh"

#include <fmt/format.h>

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

const std::string folder = "/sys/kernel/debug/fail_function/";
constexpr unsigned none = 1u << 30; // no call gets so far

Result<> set(const char *file, const std::string &value) { return write_file(folder + file, value); }

// The kernel lets calls pass as long as this is more than one.
Result<> set_all(unsigned first, int times)
{
	for (auto [file, value] : {std::pair{"verbose", 0}, {"probability", 100}, {"interval", 1}, {"times", times}})
		if (auto done = set(file, std::to_string(value)); !done)
			return done;
	return set("space", std::to_string(first));
}

Result<> add(const Fault &fault)
{
	if (auto done = set("inject", fault.function); !done)
		return done;
	auto status = static_cast<std::uint64_t>(static_cast<std::int64_t>(fault.status));
	return set((fault.function + "/retval").c_str(), fmt::format("{:#x}", status));
}

} // namespace

std::string Faults::obstacle(const std::vector<std::string> &functions)
{
	auto list = read_file("/sys/kernel/debug/error_injection/list");
	if (!list || !exists(folder + "inject"))
		return "this kernel has no CONFIG_FAIL_FUNCTION, or debugfs is not mounted";
	for (auto &function : functions)
		if (!list->contains(function + " ") && !list->contains(function + "\t"))
			return function + " is not in the kernel's list of functions that can fail";
	return "";
}

Result<Faults> Faults::arm(const std::vector<Fault> &faults, unsigned first, int times)
{
	disarm();
	Faults armed{times};
	if (auto done = set_all(first, times); !done)
		return std::unexpected{done.error()};
	for (auto &fault : faults)
		if (auto done = add(fault); !done)
			return std::unexpected{done.error()};
	return armed;
}

Result<Faults> Faults::count(const std::vector<Fault> &faults) { return arm(faults, none, 1); }

void Faults::disarm() { (void)set("inject", "\n"); }

Result<unsigned> Faults::calls() const
{
	auto left = read_line(folder + "space");
	if (!left)
		return std::unexpected{left.error()};
	return none - static_cast<unsigned>(parse_number(*left).value_or(none));
}

// The kernel counts down what is left.
bool Faults::fired() const
{
	auto left = read_line(folder + "times");
	return left && parse_number(*left) && *parse_number(*left) != static_cast<std::uint64_t>(times_);
}

} // namespace harness
