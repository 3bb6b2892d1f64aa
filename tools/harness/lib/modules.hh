// SPDX-License-Identifier: GPL-2.0-only
// Kernel modules by name, and the two drivers under test. Nothing here believes that a load worked or that a module
// serves: the list of modules and their reference counts are what counts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.hh"

namespace harness
{

enum class Driver { tcewin, in_tree };

inline constexpr std::string_view module_of(Driver driver)
{
	return driver == Driver::tcewin ? "tcewin" : "vfio_iommu_spapr_tce";
}
inline constexpr std::string_view name_of(Driver driver) { return driver == Driver::tcewin ? "tcewin" : "in-tree"; }
inline constexpr Driver other(Driver driver) { return driver == Driver::tcewin ? Driver::in_tree : Driver::tcewin; }

bool module_loaded(std::string_view name);
std::optional<int> module_refs(std::string_view name); // nullopt: not loaded

Result<> insmod(const std::string &file, const std::string &parameters = "");
Result<> rmmod(std::string_view name); // never forced, never waits
Result<> modprobe(std::string_view name);

inline constexpr const char *default_module_file = "/modules/tcewin.ko";

struct Module_source {
	std::string file = default_module_file; // of tcewin
	std::string parameters;			// to tcewin
};

Result<> load(Driver driver, const Module_source &source); // loaded already: fine
Result<> unload(Driver driver);				   // not loaded: fine

bool kernel_is_before(unsigned major, unsigned minor);

// Once loaded it is there for good: before 6.4 the platform has no IOMMU driver, so that is what tcewin is.
bool stays(Driver driver);

// vfio-pci and exactly the asked driver; the other one, which a softdep of vfio may have brought in, is removed. The
// in-tree driver with "vfio=0" among tcewin's parameters: that one serves, over tcewin's operations of the PEs.
Result<> load_only(Driver driver, const Module_source &source);

// Says which driver took a module reference between its construction and served(). One that serves a container holds
// one; tcewin also for a PE that the other serves.
class Serving_watch
{
public:
	Serving_watch();
	std::optional<Driver> served() const; // nullopt: none

private:
	int tcewin_;
	int in_tree_;
};

} // namespace harness
