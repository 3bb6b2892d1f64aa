// SPDX-License-Identifier: GPL-2.0-only
#include "lib/platform.hh"

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

bool eeh_enabled()
{
	auto text = read_file("/proc/powerpc/eeh").value_or("");
	return !text.empty() && !text.contains("globally disabled");
}

Platform look()
{
	bool powernv = exists("/proc/device-tree/ibm,opal");
	return {.powernv = powernv,
		.windows_by_slot = powernv,
		.windows_in_tree = !powernv,
		.tables_in_memory = powernv,
		.write_implies_read = powernv,
		.eeh = eeh_enabled()};
}

} // namespace

const Platform &platform()
{
	static const Platform here = look();
	return here;
}

} // namespace harness
