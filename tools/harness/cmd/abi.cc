// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/abi.hh"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>

#include "abi/runner.hh"

namespace harness
{

namespace
{

using abi::Case;
using abi::Verdict;

bool matches(const std::vector<std::string> &patterns, const char *name)
{
	return std::ranges::any_of(patterns,
				   [name](auto &pattern) { return ::fnmatch(pattern.c_str(), name, 0) == 0; });
}

std::vector<const Case *> chosen(const Abi_options &options)
{
	std::vector<const Case *> found;
	std::vector tables{abi::rule_cases(),	    abi::attach_cases(), abi::get_info_cases(), abi::register_cases(),
			   abi::unregister_cases(), abi::create_cases(), abi::remove_cases(),	abi::map_cases(),
			   abi::unmap_cases(),	    abi::eeh_cases()};
	if (options.v1 || options.driver == Driver::tcewin)
		tables.insert(tables.end(), {abi::v1_attach_cases(), abi::v1_cases(), abi::v1_map_cases(),
					     abi::v1_unmap_cases(), abi::v1_eeh_cases()});
	for (auto table : tables)
		for (auto &test : table)
			if ((options.cases.empty() || matches(options.cases, test.name)) &&
			    !matches(options.skip, test.name))
				found.push_back(&test);
	return found;
}

bool list(const std::vector<const Case *> &cases)
{
	for (auto test : cases)
		fmt::print("{:<42} {:<18} {}\n", test->name, test->expected.text(), test->row);
	return true;
}

struct Score {
	int passed = 0, failed = 0, skipped = 0;
};

// True: go on with the next one.
bool run_one(const Case &test, const Pci_function &function, Kmsg &kmsg, const Options &options, Score &score)
{
	auto finding = abi::run_case(test, function, kmsg);
	auto mark = finding.verdict == Verdict::passed ? "ok  " : finding.verdict == Verdict::failed ? "FAIL" : "skip";
	++(finding.verdict == Verdict::passed	? score.passed
	   : finding.verdict == Verdict::failed ? score.failed
						: score.skipped);
	fmt::print("  {} {:<42} {:<10}", mark, test.name, finding.seen);
	if (finding.verdict == Verdict::failed)
		fmt::print(" expected {}", test.expected.text());
	fmt::print("\n");
	if (options.verbose || finding.verdict == Verdict::failed)
		fmt::print("         {}\n", test.row);
	bool stuck = false;
	for (auto &trouble : finding.troubles) {
		fmt::print("         - {}\n", trouble);
		stuck |= trouble.starts_with("stuck");
	}
	std::fflush(stdout);
	return !stuck;
}

} // namespace

bool run_abi(const Abi_options &options)
{
	auto cases = chosen(options);
	if (options.list)
		return list(cases);
	Report report;
	report.heading(fmt::format("bad input and the rows of ABI.md, driver {}", name_of(options.driver)));
	auto function = prepare(report, options);
	auto kmsg = Kmsg::follow();
	if (!function || !report.step("follow the kernel's log", kmsg))
		return false;

	Score score;
	for (auto test : cases)
		if (!run_one(*test, *function, *kmsg, options, score)) {
			report.heading("the device is lost to a process that does not end; nothing more can be tried");
			break;
		}
	auto tried = score.passed + score.failed + score.skipped;
	if (auto rest = static_cast<int>(cases.size()) - tried; rest > 0)
		fmt::print("{} not tried\n", rest);
	fmt::print("served by: {}\n", name_of(options.driver));
	if (score.skipped > 0)
		fmt::print("{} skipped\n", score.skipped);
	fmt::print("{} passed, {} failed\n", score.passed, score.failed);
	return score.passed > 0 && score.failed == 0 && tried == static_cast<int>(cases.size());
}

} // namespace harness
