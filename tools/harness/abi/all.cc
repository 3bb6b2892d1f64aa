// SPDX-License-Identifier: GPL-2.0-only
// The whole suite, and the one place that says which cases have nothing to ask of a PE.
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <deque>

#include "abi/case.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

Stage of_v1(Stage stage)
{
	switch (stage) {
	case Stage::fresh:
		return Stage::v1;
	case Stage::ready:
		return Stage::v1_ready;
	default:
		return stage;
	}
}

std::string v1_name(std::string name)
{
	constexpr std::string_view defect = "defect/";
	return name.insert(name.starts_with(defect) ? defect.size() : 0, "v1-");
}

struct Suite {
	std::deque<std::string> names;
	std::vector<Case> cases;

	void add(std::span<const Case> table)
	{
		for (auto test : table)
			add(test);
	}

	void add(Case test)
	{
		cases.push_back(test);
		if (test.kinds != Kinds::both)
			return;
		test.name = names.emplace_back(v1_name(test.name)).c_str();
		test.stage = of_v1(test.stage);
		cases.push_back(test);
	}
};

Suite make_suite()
{
	Suite suite;
	for (auto table : {rule_cases(),      attach_cases(), get_info_cases(), register_cases(),   unregister_cases(),
			   create_cases(),    remove_cases(), map_cases(),	page_cases(),	    unmap_cases(),
			   eeh_cases(),	      v1_cases(),     v1_map_cases(),	v1_unmap_cases(),   group_cases(),
			   container_cases(), figure_cases(), long_cases(),	concurrent_cases(), no_ddw_cases(),
			   powernv_cases(),   level_cases()})
		suite.add(table);
	return suite;
}

using Patterns = std::span<const char *const>;

bool is_one_of(Patterns patterns, const char *name)
{
	return std::ranges::any_of(patterns, [name](auto pattern) { return ::fnmatch(pattern, name, 0) == 0; });
}

constexpr std::array only_with_v2{"set-iommu/v2", "set-iommu/v2-after-refusal", "defect/killed-process-*"};
// Besides every case whose bench begins with a DDW.
constexpr std::array only_with_ddw{"create/default-pending-is-kept-apart",
				   "create/no-slot-default-pending",
				   "create/every-page-size",
				   "create/levels-[025]",
				   "create/one-page",
				   "create/4k-beside-default",
				   "create/large",
				   "create/charges-firmwares-table",
				   "create/smaller-default-again",
				   "create/over-limit",
				   "map/page-of-kernel-in-larger-iommu-page",
				   "map/iommu-page-too-large",
				   "rules/owner-creates-first",
				   "defect/create-efault",
				   "defect/failed-create-then-retry",
				   "defect/two-groups-create",
				   "defect/huge-page-behind-small-pages",
				   "map/huge-page-in-mixed-region",
				   "map/transparent-huge-page",
				   "defect/clearing-a-window",
				   "defect/yields",
				   "defect/pgsizes-16g",
				   "defect/create-of-33-bits",
				   "set-container/incompatible-group",
				   "client/qemu-second-container"};
constexpr std::array only_without_ddw{"no-ddw/*"};
constexpr std::array only_refused_v2{"set-iommu/v2-without-ddw"};
// Where a window goes is firmware's to say, and page sizes are QEMU's options for each PHB.
constexpr std::array only_on_pseries{"create/default-beside-ddw",    "create/charges-firmwares-table",
				     "defect/second-ddw-then-retry", "defect/pgsizes-16g",
				     "defect/create-of-33-bits",     "set-container/incompatible-group",
				     "client/qemu-second-container"};
constexpr std::array only_on_powernv{"powernv/*", "v1-powernv/*"};
constexpr std::array only_with_huge_pages{"defect/huge-page-behind-small-pages", "map/huge-page-in-mixed-region",
					  "map/transparent-huge-page"};

const char *not_on_this_machine(const char *name)
{
	if (!platform().powernv)
		return is_one_of(only_on_powernv, name) ? "of PowerNV" : nullptr;
	if (is_one_of(only_on_pseries, name))
		return "of pSeries";
	return huge_page_shift(21) != 21u && is_one_of(only_with_huge_pages, name) ? "no 2 MiB pages here" : nullptr;
}

} // namespace

const std::vector<Case> &all_cases()
{
	static const Suite suite = make_suite();
	return suite.cases;
}

const char *not_applicable(const Case &test, const Terms &terms)
{
	if (auto elsewhere = not_on_this_machine(test.name))
		return elsewhere;
	if (is_one_of(only_refused_v2, test.name))
		return terms.v2 ? "v2 is not refused here" : nullptr;
	if (!terms.v2 && (test.stage > Stage::v1_ready || is_one_of(only_with_v2, test.name)))
		return "no v2 container without DDW";
	if (!terms.ddw && (test.stage == Stage::with_ddw || is_one_of(only_with_ddw, test.name)))
		return "no DDW here";
	if (terms.ddw && is_one_of(only_without_ddw, test.name))
		return "there is DDW";
	return nullptr;
}

} // namespace harness::abi
