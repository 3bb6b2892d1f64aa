// SPDX-License-Identifier: GPL-2.0-only
#include "firmware/trial.hh"

#include <fmt/format.h>

#include <cstring>

#include "lib/devtree.hh"

namespace harness::firmware
{

namespace
{

using namespace std::chrono_literals;
using abi::Bench;
using abi::Stage;

bool has_container(const Act &act) { return act.stage != Stage::container; }

class Trial
{
public:
	Trial(const Act &act, const Pci_function &pe, const Say &say)
		: act_{act}, bench_{pe, {}}, scene_{bench_}, say_{say}
	{
	}

	bool begin()
	{
		return step("set-up", bench_.bring_to(act_.stage)) &&
		       (!act_.prepare || step("prepare", act_.prepare(scene_)));
	}
	bool step(std::string_view what, const Result<> &result)
	{
		if (!result)
			say_(fmt::format("{}: {}", what, result.error().name()));
		return result.has_value();
	}
	void right(std::string_view when, const std::string &wrong)
	{
		if (!wrong.empty())
			say_(fmt::format("{}: {}", when, wrong));
	}

	void count(const std::string &function);
	void refuse(const Site &site, unsigned first, int times, Ending ending);

private:
	// What a failed call has to leave as it was.
	struct State {
		Counts counts;
		std::vector<Tree_window> tree;
		Tce_info info;
	};
	State state() const;
	void same(const State &before);
	void after_refusal(const State &before);
	void after_success();
	void after_stuck();
	void end();

	const Act &act_;
	Bench bench_;
	Scene scene_;
	const Say &say_;
};

void Trial::count(const std::string &function)
{
	auto counting = Faults::count({{function, -1}});
	if (!step("count " + function, counting ? Result<>{} : fail(counting.error().code())))
		return;
	auto done = act_.call(scene_);
	auto calls = counting->calls();
	Faults::disarm();
	if (!step("the call", done))
		return;
	say_(std::to_string(calls.value_or(0)));
	step("undo", act_.undo(scene_));
}

Trial::State Trial::state() const
{
	State now{Counts::rested(), tree_windows(bench_.function()), {}};
	if (has_container(act_))
		if (auto info = bench_.container().get_info(); info)
			now.info = *info;
	return now;
}

void Trial::same(const State &before)
{
	auto counts = settled(before.counts, 10s);
	if (!bench_.as_wanted(before.counts, counts))
		say_("after the failure: " + difference(before.counts, counts));
	auto now = state();
	if (now.tree != before.tree)
		say_(fmt::format("after the failure: device tree {}, before {}", to_string(now.tree),
				 to_string(before.tree)));
	if (std::memcmp(&now.info, &before.info, sizeof now.info) != 0)
		say_("after the failure: GET_INFO says something else");
}

void Trial::refuse(const Site &site, unsigned first, int times, Ending ending)
{
	auto before = state();
	auto armed = Faults::arm(site.faults, first, times);
	if (!step("arm", armed ? Result<>{} : fail(armed.error().code())))
		return;
	auto result = act_.call(scene_);
	auto wanted = ending == Ending::refused ? site.error : ending == Ending::stuck ? EIO : 0;
	say_("= " + outcome(result));
	if (!armed->fired())
		say_("no call was made to fail");
	if ((result ? 0 : result.error().code()) != wanted)
		return say_("expected " + Errno{wanted}.name());
	switch (ending) {
	case Ending::refused:
		return after_refusal(before);
	case Ending::done:
		return after_success();
	case Ending::stuck:
		return after_stuck();
	case Ending::quarantined:
		return say_("no end for a case of this kind");
	}
}

void Trial::after_refusal(const State &before)
{
	if (act_.before)
		right("with firmware still refusing", act_.before(scene_));
	Faults::disarm();
	same(before);
	if (!step("the same once firmware works again", act_.call(scene_)))
		return;
	right("then", act_.after(scene_));
	if (step("undo", act_.undo(scene_)))
		end();
}

void Trial::after_success()
{
	Faults::disarm();
	right("done", act_.after(scene_));
	if (step("undo", act_.undo(scene_)))
		end();
}

// The window's pages stay, whoever asks, until it is removed; then nothing is left of it.
void Trial::after_stuck()
{
	Faults::disarm();
	auto &memory = bench_.memory();
	auto &container = bench_.container();
	auto start = act_.window(scene_);
	auto let_go = container.unregister_memory(memory.address(), memory.size());
	if (let_go || let_go.error() != Errno{EBUSY})
		say_("UNREGISTER_MEMORY of what a stuck window may map: " + outcome(let_go));
	auto mapped = container.map(start + 0x20000, bench_.vaddr(Bench::free_unit), 4096, Access::both);
	if (mapped || mapped.error() != Errno{EIO})
		say_("MAP_DMA in a stuck window: " + outcome(mapped));
	if (!step("TCE_REMOVE of a stuck window", container.tce_remove(start)))
		return;
	right("once it is removed",
	      scene_.first().misses(bench_.iova(Bench::witness_page), scene_.unit(Bench::witness_unit)));
	if (bench_.own)
		step("UNREGISTER_MEMORY then", container.unregister_memory(bench_.own->address(), bench_.own->size()));
	if (step("the default window again", bench_.restore_default()))
		right("then", bench_.works());
}

void Trial::end()
{
	if (act_.finish && !step("finish", act_.finish(scene_)))
		return;
	right("then", bench_.works());
}

} // namespace

void count_calls(const Act &act, const Pci_function &pe, const std::vector<std::string> &functions, const Say &say)
{
	Trial trial{act, pe, say};
	if (!trial.begin())
		return;
	for (auto &function : functions)
		trial.count(function);
}

void refuse(const Act &act, const Site &site, unsigned first, int times, Ending ending, const Pci_function &pe,
	    const Say &say)
{
	Trial trial{act, pe, say};
	if (trial.begin())
		trial.refuse(site, first, times, ending);
}

} // namespace harness::firmware
