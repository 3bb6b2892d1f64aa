// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/firmware.hh"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "firmware/trial.hh"
#include "lib/devtree.hh"
#include "lib/kmsg.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

using namespace std::chrono_literals;
using namespace firmware;

constexpr auto patience = 90s;
constexpr auto alarm = "a translation stays, and its pages stay pinned";

struct Firmware_case {
	const Act *act;
	const Site *site;
	When when;
	unsigned number; // of the call that fails first

	std::string name() const { return fmt::format("{}/{}/{}", act->name, site->name, name_of(when)); }
};

std::vector<std::string> functions_of(const std::vector<Site> &sites)
{
	std::vector<std::string> all;
	for (auto &site : sites)
		for (auto &fault : site.faults)
			if (std::ranges::find(all, fault.function) == all.end())
				all.push_back(fault.function);
	return all;
}

class Firmware
{
public:
	Firmware(const Firmware_options &options, const Pci_function &pe, Kmsg &kmsg)
		: options_{options}, pe_{pe}, kmsg_{kmsg}
	{
	}

	void all()
	{
		for (auto act : all_acts())
			if (wanted(fmt::format("{}/", act->name)))
				one_act(*act);
	}
	bool summary() const
	{
		fmt::print("{} passed, {} failed\n", passed_, failed_);
		return passed_ > 0 && failed_ == 0;
	}

private:
	using Calls = std::map<std::string, unsigned>;

	// A pattern asks for some case that begins so.
	bool wanted(const std::string &beginning) const
	{
		auto asks = [&](const std::string &pattern) {
			auto own = pattern.substr(0, pattern.find('/'));
			return ::fnmatch(own.c_str(), beginning.substr(0, beginning.find('/')).c_str(), 0) == 0;
		};
		return options_.cases.empty() || std::ranges::any_of(options_.cases, asks);
	}
	bool chosen(const Firmware_case &test) const
	{
		auto name = test.name();
		return options_.cases.empty() || std::ranges::any_of(options_.cases, [&](auto &pattern) {
			       return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
		       });
	}

	void one_act(const Act &act);
	Calls count(const Act &act);
	std::vector<Firmware_case> cases_of(const Act &act, Calls calls) const;
	void run(const Firmware_case &test);
	void print(const std::string &name, Ending ending, std::string_view seen,
		   const std::vector<std::string> &troubles);
	std::vector<std::string> around(const Counts &before, const std::vector<Tree_window> &tree);
	std::vector<std::string> log_after(Ending ending);

	const Firmware_options &options_;
	const Pci_function &pe_;
	Kmsg &kmsg_;
	int passed_ = 0, failed_ = 0;
};

// The calls that the act makes when nothing fails; it has to work then.
Firmware::Calls Firmware::count(const Act &act)
{
	auto functions = functions_of(all_sites());
	auto told = in_a_process([&](const Say &say) { count_calls(act, pe_, functions, say); }, patience);
	Faults::disarm();
	Calls calls;
	auto numbers = std::ranges::all_of(told.lines, [](auto &line) { return parse_number(line).has_value(); });
	if (!told.ended || !numbers || told.lines.size() != functions.size()) {
		if (!told.ended)
			told.lines.emplace_back("the process died in it, or did not end");
		else if (told.lines.size() != functions.size())
			told.lines.emplace_back("not every function was counted");
		print(fmt::format("{}/none", act.name), Ending::done, "-", told.lines);
		return calls;
	}
	for (std::size_t i = 0; i < functions.size(); ++i)
		calls[functions[i]] = static_cast<unsigned>(*parse_number(told.lines[i]));
	return calls;
}

std::vector<Firmware_case> Firmware::cases_of(const Act &act, Calls calls) const
{
	std::vector<Firmware_case> cases;
	for (auto &site : all_sites()) {
		unsigned n = 0;
		for (auto &fault : site.faults)
			n += calls[fault.function];
		if (n == 0)
			continue;
		if (site.how != How::always)
			cases.push_back({&act, &site, When::first, 1});
		if (site.how == How::once)
			continue;
		if (site.how == How::each && n > 1)
			cases.push_back({&act, &site, When::second, 2});
		if (site.how == How::each && n > 2)
			cases.push_back({&act, &site, When::last, n});
		cases.push_back({&act, &site, When::always, 1});
	}
	// What a stuck window does is asked where all is in the default window of a v2 container.
	std::erase_if(cases, [this](auto &test) {
		if (!chosen(test))
			return true;
		auto ending = expected(test.act->name, test.site->name, test.when);
		auto elsewhere = ending == Ending::quarantined || (ending == Ending::stuck && !test.act->window);
		if (elsewhere)
			fmt::print("  n/a  {:<44} {:<8} not asked here\n", test.name(), name_of(ending));
		return elsewhere;
	});
	return cases;
}

void Firmware::one_act(const Act &act)
{
	for (auto &test : cases_of(act, count(act)))
		options_.list ? fmt::print("{}\n", test.name()) : run(test);
}

void Firmware::run(const Firmware_case &test)
{
	mark("case " + test.name());
	auto before = Counts::rested();
	auto tree = tree_windows(pe_);
	auto ending = expected(test.act->name, test.site->name, test.when);
	auto times = test.when == When::always ? Faults::for_ever : 1;
	auto told = in_a_process(
		[&](const Say &say) { refuse(*test.act, *test.site, test.number, times, ending, pe_, say); }, patience);
	Faults::disarm();
	std::string seen = "-";
	if (!told.lines.empty() && told.lines[0].starts_with("= ")) {
		seen = told.lines[0].substr(2);
		told.lines.erase(told.lines.begin());
	}
	if (!told.ended)
		told.lines.emplace_back("the process died in it, or did not end");
	std::ranges::copy(around(before, tree), std::back_inserter(told.lines));
	std::ranges::copy(log_after(ending), std::back_inserter(told.lines));
	print(test.name(), ending, seen, told.lines);
}

// What the case leaves behind when its process is gone.
std::vector<std::string> Firmware::around(const Counts &before, const std::vector<Tree_window> &tree)
{
	std::vector<std::string> troubles;
	if (auto after = settled(before); after != before)
		troubles.push_back("after close: " + difference(before, after));
	if (auto now = tree_windows(pe_); now != tree)
		troubles.push_back("after close: device tree " + to_string(now) + ", before " + to_string(tree));
	return troubles;
}

// The engine's alarm comes with a window that is stuck, and with nothing else.
std::vector<std::string> Firmware::log_after(Ending ending)
{
	auto lines = kmsg_.splats();
	auto stays =
		ending == Ending::stuck ? std::erase_if(lines, [](auto &line) { return line.contains(alarm); }) : 1;
	for (auto &line : lines)
		line.insert(0, "kernel: ");
	if (stays == 0)
		lines.push_back(fmt::format("the log does not say: {}", alarm));
	return lines;
}

void Firmware::print(const std::string &name, Ending ending, std::string_view seen,
		     const std::vector<std::string> &troubles)
{
	++(troubles.empty() ? passed_ : failed_);
	fmt::print("  {} {:<44} {:<8} {}\n", troubles.empty() ? "ok  " : "FAIL", name, name_of(ending), seen);
	for (auto &trouble : troubles)
		fmt::print("         - {}\n", trouble);
	std::fflush(stdout);
}

} // namespace

bool run_firmware(const Firmware_options &options)
{
	if (options.stuck)
		return run_stuck(options);
	Report report;
	report.heading(fmt::format("firmware that refuses, driver {}", name_of(options.driver)));
	auto pe = prepare(report, options);
	auto kmsg = Kmsg::follow();
	if (!pe || !report.step("follow the kernel's log", kmsg))
		return false;
	auto obstacle = Faults::obstacle(functions_of(all_sites()));
	if (!report.check("this kernel can make firmware fail", obstacle.empty(), obstacle))
		return false;
	Firmware run{options, *pe, *kmsg};
	run.all();
	return run.summary();
}

} // namespace harness
