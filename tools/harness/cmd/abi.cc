// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/abi.hh"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "abi/runner.hh"
#include "lib/devtree.hh"

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
	bool reached = options.after.empty();
	for (auto &test : abi::all_cases()) {
		if (reached && (options.cases.empty() || matches(options.cases, test.name)) &&
		    !matches(options.skip, test.name))
			found.push_back(&test);
		reached |= options.after == test.name;
	}
	return found;
}

// tcewin takes no v2 container on a PE without DDW unless it is told to; the in-tree driver does.
abi::Terms terms_of(const Abi_options &options, const Pci_function &function)
{
	abi::Terms terms;
	terms.ddw = has_ddw(function) && !options.no_ddw;
	terms.v2 = terms.ddw || options.driver == Driver::in_tree ||
		   options.source.parameters.contains("v2_without_ddw=1");
	terms.patience = std::chrono::seconds{options.patience};
	return terms;
}

bool list(const std::vector<const Case *> &cases)
{
	for (auto test : cases)
		fmt::print("{:<42} {:<18} {}\n", test->name, test->expected.text(), test->row);
	return true;
}

class Run
{
public:
	Run(const Abi_options &options, const Pci_function &function, Kmsg &kmsg)
		: options_{options}, function_{function}, terms_{terms_of(options, function)}, kmsg_{kmsg}
	{
	}

	void all(const std::vector<const Case *> &cases)
	{
		for (auto test : cases) {
			bool good = one(*test);
			if (stuck_)
				return say(test, "the device is lost to a process that does not end");
			if (!good && options_.until_damage && damaged())
				return say(test, "damaged");
		}
		complete_ = true;
	}

	bool summary(std::size_t all)
	{
		auto rest = static_cast<int>(all) - passed_ - failed_;
		for (auto &[why, names] : not_applicable_)
			rest -= static_cast<int>(names.size());
		if (rest > 0)
			fmt::print("{} not tried\n", rest);
		for (auto &text : kmsg_.missing()) {
			fmt::print("  FAIL expected in the kernel's log, but never came: {}\n", text);
			++failed_;
		}
		fmt::print("served by: {}\n", name_of(options_.driver));
		print_not_applicable();
		fmt::print("{} passed, {} failed\n", passed_, failed_);
		return passed_ > 0 && failed_ == 0 && complete_;
	}

private:
	static void say(const Case *test, std::string_view what) { fmt::print("after {}: {}\n", test->name, what); }

	bool one(const Case &test)
	{
		auto finding = abi::run_case(test, function_, terms_, kmsg_);
		print(test, finding);
		for (auto &trouble : finding.troubles)
			stuck_ |= trouble.starts_with("stuck");
		if (finding.verdict == Verdict::not_applicable)
			not_applicable_[finding.seen].emplace_back(test.name);
		else
			++(finding.verdict == Verdict::passed ? passed_ : failed_);
		return finding.verdict != Verdict::failed;
	}

	void print_not_applicable() const
	{
		std::vector<std::string_view> all;
		for (auto &[why, names] : not_applicable_) {
			fmt::print("{} not applicable: {}\n", names.size(), why);
			all.insert(all.end(), names.begin(), names.end());
		}
		if (!all.empty())
			fmt::print("n/a: {}\n", fmt::join(all, ", "));
	}

	void print(const Case &test, const abi::Finding &finding) const
	{
		bool failed = finding.verdict == Verdict::failed;
		auto mark = failed ? "FAIL" : finding.verdict == Verdict::passed ? "ok  " : "n/a ";
		fmt::print("  {} {:<42} {:<10}", mark, test.name, finding.seen);
		if (failed)
			fmt::print(" expected {}", test.expected.text());
		fmt::print("\n");
		if (options_.verbose || failed)
			fmt::print("         {}\n", test.row);
		for (auto &fact : finding.facts)
			fmt::print("         = {}\n", fact);
		for (auto &trouble : finding.troubles)
			fmt::print("         - {}\n", trouble);
		std::fflush(stdout);
	}

	// Whether a container set up now does what it has to.
	bool damaged()
	{
		Case health{.name = "(is the PE of use?)", .row = "", .call = [](abi::Bench &) { return Result<>{}; }};
		health.stage = terms_.v2 ? abi::Stage::ready : abi::Stage::v1_ready;
		return abi::run_case(health, function_, terms_, kmsg_).verdict != Verdict::passed;
	}

	const Abi_options &options_;
	const Pci_function &function_;
	abi::Terms terms_;
	Kmsg &kmsg_;
	int passed_ = 0, failed_ = 0;
	std::map<std::string, std::vector<std::string>> not_applicable_; // by the reason
	bool stuck_ = false, complete_ = false;
};

} // namespace

bool names_a_case(const std::string &pattern)
{
	return std::ranges::any_of(abi::all_cases(), [&](auto &test) { return matches({pattern}, test.name); });
}

bool run_abi(const Abi_options &options)
{
	auto cases = chosen(options);
	if (options.list)
		return list(cases);
	Report report;
	report.heading(fmt::format("bad input and the rows of ABI.md, driver {}", name_of(options.driver)));
	auto function = prepare(report, options);
	auto kmsg = Kmsg::follow(options.expected);
	if (!function || !report.step("follow the kernel's log", kmsg))
		return false;

	Run run{options, *function, *kmsg};
	run.all(cases);
	return run.summary(cases.size());
}

} // namespace harness
