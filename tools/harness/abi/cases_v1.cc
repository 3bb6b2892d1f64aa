// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: a v1 container: ENABLE, DISABLE, and what of the other type it does not have.
#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/pattern.hh"

namespace harness::abi
{

namespace
{

constexpr const char *enable_row = "ENABLE: accounts the default window's size as locked memory";
constexpr const char *limit_row = "ENABLE: accounts as locked memory; over the limit: ENOMEM (as REGISTER)";
constexpr const char *disable_row = "DISABLE: undoes ENABLE";
constexpr const char *alive_row = "DISABLE: mappings may not outlive it (defects: mappings end first)";
constexpr const char *foreign_row = "rules: other process's mm than the container's: EPERM";
constexpr const char *notty_row = "rules: an ioctl unknown or of the other container type is ENOTTY";

Result<> enable(Bench &b) { return b.container().enable(); }
Result<> disable(Bench &b) { return b.container().disable(); }
Result<> enable_and_disable(Bench &b)
{
	auto done = enable(b);
	return done ? disable(b) : done;
}

Result<> enable_and_count(Bench &b)
{
	auto done = enable(b);
	return done ? count(b) : done;
}
std::int64_t window_size(const Bench &b) { return b.info().dma32_window_size; }

std::string is_charged(Bench &b) { return b.counted(window_size(b), 0); }
std::string is_given_back(Bench &b) { return b.counted(-window_size(b), 0); }
std::string nothing_changed(Bench &b) { return b.counted(0, 0); }

Result<> limit_to_window(Bench &b) { return limit_to(b, b.info().dma32_window_size); }
Result<> limit_to_less(Bench &b) { return limit_to(b, b.info().dma32_window_size - page_size()); }

// What the device has in its buffer when its translations end, and what is in memory then.
constexpr std::size_t moved = 256;
constexpr std::uint32_t in_device = 3;
constexpr std::uint64_t sent = 101, kept = 102, cleared = 103;

bool holds(std::span<const std::byte> bytes, std::uint64_t seed)
{
	for (std::size_t i = 0; i < bytes.size(); ++i)
		if (bytes[i] != pattern_at(seed, i))
			return false;
	return true;
}

Result<> make_ready_and_load_device(Bench &b)
{
	if (auto done = count(b); !done)
		return done;
	if (auto done = b.make_v1_ready(); !done)
		return done;
	fill(b.at(Bench::scratch_unit, 0, moved), sent);
	if (auto done = b.rig().edu().from_ram(b.iova(Bench::scratch_page), in_device, moved); !done)
		return done;
	fill(b.at(Bench::witness_unit, 0, moved), kept);
	return {};
}

// Both pages were alive. The scratch is not mapped either, so that what the device has read shows only when it is
// again.
std::string cut_off(Bench &b)
{
	auto there = b.at(Bench::witness_unit, 0, moved), out = b.at(Bench::scratch_unit, 0, moved);
	auto &edu = b.rig().edu();
	if (!edu.to_ram(in_device, b.iova(Bench::witness_page), moved) || !holds(there, kept))
		return "device still writes to memory";
	if (auto wrong = nothing_changed(b); !wrong.empty())
		return wrong;
	if (!edu.from_ram(b.iova(Bench::witness_page), in_device, moved))
		return "device is stuck";
	if (auto again = b.make_v1_ready(); !again)
		return "ENABLE and MAP_DMA again: " + again.error().name();
	fill(out, cleared);
	if (!edu.to_ram(in_device, b.iova(Bench::scratch_page), moved) || holds(out, cleared))
		return "device does not write to memory that is mapped again";
	return holds(out, kept) ? "device still read memory" : "";
}

// The child leaves a mapping; the container lives on in this process, whose it is not.
Result<> child_maps_and_dies(Bench &b)
{
	auto mapped = in_another_process(b, [](Bench &child) { return child.make_v1_ready(); });
	return mapped ? disable(b) : mapped;
}
Result<> child_enables_first(Bench &b)
{
	auto done = in_another_process(b, enable);
	return done ? enable(b) : done;
}

std::string v1_values(Bench &b)
{
	if (b.info().flags)
		return "a DDW flag, and no way to make one";
	for (auto &window : b.tree())
		if (window.property == "ibm,dma-window" &&
		    (window.start != b.info().dma32_window_start || window.size != b.info().dma32_window_size))
			return "default window differs from the device tree's: " + to_string(window);
	return "";
}

const Case cases[] = {
	{.name = "v1-enable/charges",
	 .row = enable_row,
	 .stage = Stage::v1,
	 .prepare = count,
	 .call = enable,
	 .verify = is_charged,
	 .finish = disable},
	{.name = "v1-enable/twice",
	 .row = "ENABLE: twice: EBUSY",
	 .expected = EBUSY,
	 .stage = Stage::v1,
	 .prepare = enable_and_count,
	 .call = enable,
	 .verify = nothing_changed,
	 .finish = disable},
	{.name = "v1-enable/twice-with-mappings",
	 .row = "ENABLE: twice: EBUSY",
	 .expected = EBUSY,
	 .stage = Stage::v1_ready,
	 .call = enable},
	{.name = "v1-enable/after-disable",
	 .row = enable_row,
	 .stage = Stage::v1,
	 .prepare =
		 [](Bench &b) {
			 auto done = enable_and_disable(b);
			 return done ? count(b) : done;
		 },
	 .call = enable,
	 .verify = is_charged,
	 .finish = disable},
	{.name = "v1-enable/over-limit",
	 .row = limit_row,
	 .expected = ENOMEM,
	 .stage = Stage::v1,
	 .prepare = limit_to_nothing,
	 .call = enable,
	 .finish = lift_limit},
	{.name = "v1-enable/a-page-over-limit",
	 .row = limit_row,
	 .expected = ENOMEM,
	 .stage = Stage::v1,
	 .prepare = limit_to_less,
	 .call = enable,
	 .finish = lift_limit},
	{.name = "v1-enable/at-limit",
	 .row = limit_row,
	 .stage = Stage::v1,
	 .prepare = limit_to_window,
	 .call = enable,
	 .finish =
		 [](Bench &b) {
			 auto gone = disable(b);
			 return gone ? lift_limit(b) : gone;
		 }},
	{.name = "v1-map/at-limit",
	 .row = limit_row,
	 .stage = Stage::v1,
	 .prepare = limit_to_window,
	 .call =
		 [](Bench &b) {
			 auto done = enable(b);
			 return done ? b.map_pair() : done;
		 },
	 .finish =
		 [](Bench &b) {
			 auto gone = disable(b);
			 return gone ? lift_limit(b) : gone;
		 }},
	// ENODEV is for a driver without a group; without one the core has no driver to ask.
	{.name = "v1-enable/no-iommu",
	 .row = "ENABLE: of the VFIO core: no IOMMU set: EINVAL",
	 .expected = EINVAL,
	 .stage = Stage::grouped,
	 .call = enable},

	{.name = "v1-disable/gives-back",
	 .row = disable_row,
	 .stage = Stage::v1,
	 .prepare = enable_and_count,
	 .call = disable,
	 .verify = is_given_back},
	{.name = "v1-disable/twice",
	 .row = "DISABLE: undoes ENABLE; twice is fine",
	 .stage = Stage::v1,
	 .prepare =
		 [](Bench &b) {
			 auto done = enable_and_disable(b);
			 return done ? count(b) : done;
		 },
	 .call = disable,
	 .verify = nothing_changed},
	{.name = "v1-disable/never-enabled",
	 .row = disable_row,
	 .stage = Stage::v1,
	 .prepare = count,
	 .call = disable,
	 .verify = nothing_changed},
	{.name = "defect/v1-disable-with-mappings",
	 .row = alive_row,
	 .stage = Stage::v1,
	 .prepare = make_ready_and_load_device,
	 .call = disable,
	 .verify = cut_off,
	 .finish = disable},
	{.name = "v1-disable/then-map",
	 .row = "MAP: not enabled (v1): EPERM",
	 .expected = EPERM,
	 .stage = Stage::v1,
	 .prepare = enable_and_disable,
	 .call = as_it_should_be<Call::map>},

	{.name = "v1-get-info/values",
	 .row = "GET_INFO: default window; the DDW flag for v2 only",
	 .stage = Stage::v1,
	 .call = as_it_should_be<Call::get_info>,
	 .verify = v1_values},

	{.name = "v1-rules/register",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .stage = Stage::v1_ready,
	 .call = register_extra},
	{.name = "v1-rules/unregister",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .stage = Stage::v1_ready,
	 .call = unregister_extra},
	{.name = "v1-rules/create",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .stage = Stage::v1_ready,
	 .call = as_it_should_be<Call::create>},
	{.name = "v1-rules/remove",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .stage = Stage::v1_ready,
	 .call = as_it_should_be<Call::remove>},
	{.name = "v1-rules/remove-before-enable",
	 .row = notty_row,
	 .expected = ENOTTY,
	 .stage = Stage::v1,
	 .call = as_it_should_be<Call::remove>},

	{.name = "v1-enable/foreign",
	 .row = foreign_row,
	 .expected = EPERM,
	 .stage = Stage::v1_ready,
	 .call = [](Bench &b) { return in_another_process(b, enable); }},
	{.name = "v1-disable/foreign",
	 .row = foreign_row,
	 .expected = EPERM,
	 .stage = Stage::v1_ready,
	 .call = [](Bench &b) { return in_another_process(b, disable); }},
	{.name = "v1-rules/owner-enables-first",
	 .row = "rules: the container belongs to the mm that first enables, not to the one that opened it",
	 .expected = EPERM,
	 .stage = Stage::v1,
	 .call = child_enables_first,
	 .afterwards = Afterwards::spent},
	{.name = "v1-rules/owner-dies-with-mappings",
	 .row = "rules: EPERM; after close all is back",
	 .expected = EPERM,
	 .stage = Stage::v1,
	 .call = child_maps_and_dies,
	 .afterwards = Afterwards::spent},
};

} // namespace

std::span<const Case> v1_cases() { return cases; }

} // namespace harness::abi
