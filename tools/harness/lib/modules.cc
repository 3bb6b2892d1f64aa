// SPDX-License-Identifier: GPL-2.0-only
#include "lib/modules.hh"

#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <utility>

#include "lib/fd.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

std::string sysfs_name(std::string_view name)
{
	std::string file{name};
	for (auto &c : file)
		if (c == '-')
			c = '_';
	return "/sys/module/" + file;
}

[[noreturn]] void exec_modprobe(const char *name)
{
	constexpr std::array paths{"/sbin/modprobe", "/usr/sbin/modprobe", "/bin/modprobe"};
	for (auto path : paths)
		::execl(path, "modprobe", name, nullptr);
	::execl("/bin/busybox", "modprobe", name, nullptr);
	::_exit(127);
}

} // namespace

bool module_loaded(std::string_view name) { return exists(sysfs_name(name) + "/refcnt"); }

std::optional<int> module_refs(std::string_view name)
{
	auto line = read_line(sysfs_name(name) + "/refcnt");
	if (!line)
		return std::nullopt;
	auto count = parse_number(*line);
	return count ? std::optional{static_cast<int>(*count)} : std::nullopt;
}

Result<> insmod(const std::string &file, const std::string &parameters)
{
	auto fd = Fd::open(file.c_str(), O_RDONLY);
	if (!fd)
		return std::unexpected{fd.error()};
	return zero_expected(::syscall(SYS_finit_module, fd->get(), parameters.c_str(), 0));
}

Result<> rmmod(std::string_view name)
{
	auto sysfs = sysfs_name(name);
	return zero_expected(::syscall(SYS_delete_module, sysfs.c_str() + sysfs.rfind('/') + 1, O_NONBLOCK));
}

Result<> modprobe(std::string_view name)
{
	std::string argument{name};
	auto pid = ::fork();
	if (pid < 0)
		return fail_errno();
	if (pid == 0)
		exec_modprobe(argument.c_str());
	int status = 0;
	if (::waitpid(pid, &status, 0) < 0)
		return fail_errno();
	if (status != 0)
		return fail(ENOENT);
	return {};
}

Result<> load(Driver driver, const Module_source &source)
{
	if (module_loaded(module_of(driver)))
		return {};
	return driver == Driver::tcewin ? insmod(source.file, source.parameters) : modprobe(module_of(driver));
}

Result<> unload(Driver driver)
{
	if (!module_loaded(module_of(driver)))
		return {};
	return rmmod(module_of(driver));
}

bool kernel_is_before(unsigned major, unsigned minor)
{
	utsname name;
	unsigned has_major = 0, has_minor = 0;
	bool known = ::uname(&name) == 0 && std::sscanf(name.release, "%u.%u", &has_major, &has_minor) == 2;
	return known && std::pair{has_major, has_minor} < std::pair{major, minor};
}

bool stays(Driver driver) { return driver == Driver::tcewin && kernel_is_before(6, 4); }

Result<> load_only(Driver driver, const Module_source &source)
{
	if (!module_loaded("vfio_pci"))
		if (auto loaded = modprobe("vfio-pci"); !loaded)
			return loaded;
	bool beneath = driver == Driver::in_tree && source.parameters.contains("vfio=0");
	if (auto gone = beneath ? load(Driver::tcewin, source) : unload(other(driver)); !gone)
		return gone;
	return load(driver, source);
}

Serving_watch::Serving_watch()
	: tcewin_{module_refs(module_of(Driver::tcewin)).value_or(0)},
	  in_tree_{module_refs(module_of(Driver::in_tree)).value_or(0)}
{
}

std::optional<Driver> Serving_watch::served() const
{
	// tcewin may hold the group's PE for the other one.
	if (module_refs(module_of(Driver::in_tree)).value_or(0) > in_tree_)
		return Driver::in_tree;
	if (module_refs(module_of(Driver::tcewin)).value_or(0) > tcewin_)
		return Driver::tcewin;
	return std::nullopt;
}

} // namespace harness
