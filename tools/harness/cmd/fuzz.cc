// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/fuzz.hh"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>

#include "fuzz/corpus.hh"
#include "fuzz/play.hh"
#include "lib/kmsg.hh"
#include "lib/platform.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

using namespace fuzz;

constexpr unsigned faults_max = 5; // histories; one fault is often in every third

World *make_world()
{
	void *memory = ::mmap(nullptr, sizeof(World), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return memory == MAP_FAILED ? nullptr : static_cast<World *>(memory);
}

std::vector<Inked_device> find_devices(Report &report)
{
	std::vector<Inked_device> found;
	for (auto &function : pci_functions(edu_id)) {
		auto bound = function.bind_vfio();
		auto group = function.group();
		bool another = group && std::ranges::none_of(found, [&](auto &d) { return d.group() == *group; });
		if (!bound || !another || found.size() == devices)
			continue;
		auto device = Inked_device::open(function, static_cast<unsigned>(found.size()), *group);
		if (report.step(fmt::format("{}, group {}", function.address(), *group), device))
			found.push_back(std::move(*device));
	}
	return found;
}

std::string outcome_of(const Event &event)
{
	if (!event.begin)
		return "not tried";
	return event.outcome >= 0 ? Errno{event.outcome}.name() : "its process died";
}

class Run
{
public:
	Run(Report &report, Stage &stage, Kmsg &kmsg) : report_{report}, stage_{stage}, kmsg_{kmsg} {}

	// True: everything in it was as it has to be.
	bool play(const History &history)
	{
		Verdict verdict;
		able_ = fuzz::play(stage_, history, verdict) && able_;
		for (auto &splat : kmsg_.splats())
			verdict.faults.push_back("the kernel: " + splat);
		++played_;
		arrived_ += verdict.arrived;
		barred_ += verdict.barred;
		calls_ += history.operations.size();
		if (verdict.faults.empty() && able_)
			return true;
		++faulty_;
		tell(history, verdict);
		return false;
	}
	bool may_go_on() const { return able_ && faulty_ < faults_max; }
	bool able() const { return able_; }

	void check_work()
	{
		report_.note(fmt::format("{} histories, {} operations; transfers: {} arrived, {} had nowhere to go",
					 played_, calls_, arrived_, barred_));
		for (std::size_t verb = 0; verb < verbs; ++verb)
			report_.note(fmt::format("{:<10} {:>7} worked {:>7} failed", name_of(static_cast<Verb>(verb)),
						 stage_.worked[verb], stage_.failed[verb]));
		for (auto verb : {Verb::join, Verb::leave, Verb::type, Verb::enable, Verb::disable, Verb::reg,
				  Verb::unreg, Verb::map, Verb::unmap, Verb::create, Verb::remove, Verb::info,
				  Verb::lose, Verb::fork, Verb::probe})
			report_.check(fmt::format("{} worked", name_of(verb)),
				      stage_.worked[static_cast<std::size_t>(verb)] > 0, "at least once");
		report_.check("arguments were held up", stage_.held > 0, std::to_string(stage_.held));
		report_.check("devices reached what was mapped, and nothing elsewhere", arrived_ > 0 && barred_ > 0,
			      "both");
	}

private:
	void tell(const History &history, const Verdict &verdict)
	{
		report_.note("a fault; for the corpus: " + to_text(history));
		for (std::size_t i = 0; i < history.operations.size(); ++i) {
			auto &operation = history.operations[i];
			auto &event = stage_.world.events[i];
			auto &transfer = stage_.world.transfers[i];
			report_.note(operation.by_device()
					     ? fmt::format("[{}] {}-{} {}: {} pages seen", i, transfer.begin,
							   transfer.end, to_text(operation), transfer.count)
					     : fmt::format("[{}] {}-{} {}: {}", i, event.begin.load(), event.end.load(),
							   to_text(operation), outcome_of(event)));
		}
		for (auto &fault : verdict.faults)
			report_.note(fault);
	}

	Report &report_;
	Stage &stage_;
	Kmsg &kmsg_;
	bool able_ = true;
	unsigned played_ = 0, faulty_ = 0, arrived_ = 0, barred_ = 0;
	std::size_t calls_ = 0;
};

void play_corpus(Report &report, Run &run, const std::string &file)
{
	for (auto &one : read_corpus(file)) {
		if (!one.history)
			report.check("a line of the corpus", false, one.text);
		else if (run.able())
			report.check(one.remark, run.play(*one.history), "played");
	}
}

void play_random(Report &report, Run &run, const Fuzz_options &options)
{
	report.note(fmt::format("seed {}", options.seed));
	bool good = true;
	for (std::uint64_t i = 0; i < options.histories && run.may_go_on(); ++i) {
		auto number = options.seed * 1000000 + i;
		auto history = make_history(number);
		if (options.verbose)
			report.note(fmt::format("seed {}: {}", number, to_text(history)));
		if (run.play(history))
			continue;
		good = false;
		report.note(fmt::format("that was seed {}", number));
	}
	report.check("histories at random", good, good ? "good" : "FAULTS");
	run.check_work();
}

void fuzz_it(Report &report, const Fuzz_options &options)
{
	auto kmsg = Kmsg::follow(options.expected);
	auto found = find_devices(report);
	auto world = make_world();
	auto file = memory_file(cells * page_size());
	auto common = file ? Buffer::of_file(file->get(), cells * page_size()) : fail(ENOMEM);
	bool ready = kmsg && found.size() == devices && world && common;
	if (!report.check("the kernel's log, two PEs, memory", ready, "there"))
		return;
	// QEMU's bare metal names no page sizes, so that its kernel has none.
	if (platform().powernv) {
		report.note("no huge pages here: the block of them is of small ones");
	} else {
		report.step("huge pages", write_file("/proc/sys/vm/nr_hugepages", "24"));
		auto huge = read_file("/proc/sys/vm/nr_hugepages");
		report.check("there are some", huge && std::stoul(*huge) != 0, huge.value_or("?"));
	}
	::prctl(PR_SET_CHILD_SUBREAPER, 1);
	Stage stage{*world, found, *common, file->get(), Counts::rested()};
	for (auto &device : found)
		report.check(fmt::format("group {} works", device.group()), device.exchange(*world, {}).empty(),
			     "tried");
	Run run{report, stage, *kmsg};
	if (!options.corpus.empty())
		play_corpus(report, run, options.corpus);
	play_random(report, run, options);
	report.check("every process ended", run.able(), run.able() ? "yes" : "NO");
}

} // namespace

bool run_fuzz(const Fuzz_options &options)
{
	return run_on_edu(options, fmt::format("{} histories of a grammar", options.histories),
			  [&](Report &report, const Pci_function &) { fuzz_it(report, options); });
}

} // namespace harness
