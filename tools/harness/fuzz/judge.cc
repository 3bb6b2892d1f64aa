// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/judge.hh"

#include <fmt/format.h>
#include <linux/vfio.h>

#include <algorithm>

#include "lib/buffer.hh"
#include "lib/container.hh"
#include "lib/platform.hh"
#include "lib/result.hh"

namespace harness::fuzz
{

namespace
{

// A call as it was seen. One that is not over has no end yet.
struct Done {
	const Operation &operation;
	const Event &event;
	unsigned index;
	Time begin, end;

	Verb verb() const { return operation.verb; }
	bool well() const { return event.outcome == worked; }
	bool perhaps() const { return well() || event.outcome == unknown; }
	unsigned container() const { return operation.n[0] % containers; }
	bool of(unsigned c) const { return container() == c; }
	bool during(Time from, Time to) const { return begin < to && end > from; }
};

// start <= x < start + size, where a range may wrap because the call was told so.
bool covers(std::uint64_t start, std::uint64_t size, std::uint64_t x) { return x - start < size; }

class Judge
{
public:
	Judge(const World &world, const History &history) : world_{world}, history_{history}
	{
		for (unsigned i = 0; i < history.operations.size(); ++i) {
			auto &event = world.events[i];
			auto &operation = history.operations[i];
			if (operation.by_device() || !event.begin)
				continue;
			auto end = event.outcome == unknown ? ending_of(operation.process()) : event.end.load();
			all_.push_back({operation, event, i, event.begin, end});
		}
	}

	Verdict judge()
	{
		for (auto &call : all_)
			judge_call(call);
		for (unsigned i = 0; i < history_.operations.size(); ++i)
			if (world_.transfers[i].end)
				judge_transfer(i, world_.transfers[i]);
		return std::move(verdict_);
	}

private:
	Time ending_of(unsigned process) const
	{
		auto buried = world_.buried[process].load();
		return buried ? buried : never;
	}
	template <typename... T>
	void fault(unsigned index, fmt::format_string<T...> format, T &&...what)
	{
		verdict_.faults.push_back(fmt::format("[{}] {}: {}", index, to_text(history_.operations[index]),
						      fmt::format(format, std::forward<T>(what)...)));
	}

	// ---- Which group is where ----

	unsigned group_of(const Done &call) const { return call.operation.n[call.verb() == Verb::join] % devices; }

	bool perhaps_in(unsigned group, unsigned c, Time from, Time to) const
	{
		return std::ranges::any_of(all_, [&](auto &join) {
			return join.verb() == Verb::join && join.of(c) && group_of(join) == group && join.perhaps() &&
			       join.begin < to &&
			       !std::ranges::any_of(
				       all_,
				       [&](auto &leave) {
					       return leave.verb() == Verb::leave && leave.well() &&
						      group_of(leave) == group && leave.begin > join.end &&
						      leave.end < from;
				       });
		});
	}
	bool surely_in(unsigned group, unsigned c, Time from, Time to) const
	{
		return std::ranges::any_of(all_, [&](auto &join) {
			return join.verb() == Verb::join && join.of(c) && group_of(join) == group && join.well() &&
			       join.end < from &&
			       !std::ranges::any_of(
				       all_,
				       [&](auto &leave) {
					       return leave.verb() == Verb::leave && group_of(leave) == group &&
						      (leave.perhaps() || leave.end > from) &&
						      leave.during(join.begin, to);
				       });
		});
	}
	// With its last group a container loses everything.
	bool empties(const Done &leave, unsigned c) const
	{
		for (unsigned group = 0; group < devices; ++group)
			if (group == group_of(leave) ? !perhaps_in(group, c, leave.begin, leave.end)
						     : perhaps_in(group, c, leave.begin, leave.end))
				return false;
		return true;
	}

	// ---- What a mapping is, and what ends it ----

	// Of the kind that takes away what is mapped there, if it works.
	bool takes(const Done &call, unsigned c, std::uint64_t at) const
	{
		switch (call.verb()) {
		case Verb::map:
		case Verb::unmap:
			return call.of(c) && covers(call.event.at, call.event.size, at);
		case Verb::remove:
			return call.of(c) && window_of(call.event.at) == window_of(at);
		case Verb::disable:
			return call.of(c);
		default:
			return false;
		}
	}
	bool surely_took(const Done &call, unsigned c, std::uint64_t at) const
	{
		return call.well() && (takes(call, c, at) || (call.verb() == Verb::leave && empties(call, c)));
	}
	bool ended_between(const Done &map, std::uint64_t at, Time to) const
	{
		return std::ranges::any_of(all_, [&](auto &call) {
			return call.begin > map.end && call.end < to && surely_took(call, map.container(), at);
		});
	}
	// Nothing that could have taken it began or was under way.
	bool untouched(const Done &map, std::uint64_t at, Time to) const
	{
		auto c = map.container();
		return std::ranges::none_of(all_, [&](auto &call) {
			bool matters = takes(call, c, at) || call.verb() == Verb::leave || call.verb() == Verb::type;
			return call.index != map.index && matters && (call.perhaps() || call.end > to) &&
			       call.during(map.begin, to);
		});
	}
	std::optional<Page> page_behind(const Done &map, std::uint64_t at) const
	{
		return page_at(map.operation.process(), map.event.vaddr + (at - map.event.at));
	}
	static bool allows(const Done &map, bool write)
	{
		auto needed = write || (platform().write_implies_read && map.event.flags & VFIO_DMA_MAP_FLAG_WRITE)
				      ? VFIO_DMA_MAP_FLAG_WRITE
				      : VFIO_DMA_MAP_FLAG_READ;
		return map.event.flags & needed;
	}

	// ---- Transfers ----

	bool may_reach(unsigned device, const Transfer &transfer, const Page &page) const
	{
		return std::ranges::any_of(all_, [&](auto &map) {
			return map.verb() == Verb::map && map.begin < transfer.end &&
			       (map.perhaps() || map.end > transfer.begin) &&
			       covers(map.event.at, map.event.size, transfer.at) && allows(map, transfer.write) &&
			       page_behind(map, transfer.at) == page &&
			       perhaps_in(device, map.container(), transfer.begin, transfer.end) &&
			       !ended_between(map, transfer.at, transfer.begin);
		});
	}

	bool must_reach(unsigned device, const Transfer &transfer, const Done &map) const
	{
		auto process = map.operation.process();
		return map.verb() == Verb::map && map.well() && map.end < transfer.begin &&
		       covers(map.event.at, map.event.size, transfer.at) && allows(map, transfer.write) &&
		       page_behind(map, transfer.at) && !world_.dead[process] &&
		       surely_in(device, map.container(), transfer.begin, transfer.end) &&
		       untouched(map, transfer.at, transfer.end) && !lost(process, map.event.vaddr, transfer.end);
	}
	bool lost(unsigned process, std::uint64_t vaddr, Time before) const
	{
		return std::ranges::any_of(all_, [&](auto &call) {
			return call.verb() == Verb::lose && call.operation.process() == process &&
			       call.begin < before &&
			       address_of(call.operation.n[0] % blocks.size()) == (vaddr & ~(block_distance - 1));
		});
	}

	void judge_transfer(unsigned index, const Transfer &transfer)
	{
		auto device = history_.operations[index].device();
		for (unsigned i = 0; i < transfer.count; ++i) {
			auto &page = transfer.seen[i].page;
			if (transfer.seen[i].what == Seen::What::other)
				fault(index, "read what is no page of ours at {:#x}", transfer.at);
			else if (!may_reach(device, transfer, page))
				fault(index,
				      "reached page {} of block {} of process {} at {:#x}, which is not mapped there",
				      page.cell, page.block, page.process, transfer.at);
		}
		verdict_.barred += transfer.count == 0;
		for (auto &map : all_) {
			if (!must_reach(device, transfer, map))
				continue;
			auto page = *page_behind(map, transfer.at);
			bool seen = std::any_of(transfer.seen, transfer.seen + transfer.count,
						[&](auto &s) { return s.what == Seen::What::page && s.page == page; });
			verdict_.arrived += seen;
			bool looked_at = page.cell < cells && !(transfer.write && blocks[page.block] == Kind::served);
			if (!seen && looked_at)
				fault(index, "did not reach what [{}] mapped at {:#x}", map.index, transfer.at);
		}
	}

	// ---- Calls ----

	void judge_call(const Done &call)
	{
		auto outcome = call.event.outcome;
		if (outcome > positive)
			fault(call.index, "answered {}", outcome - positive);
		if (outcome == positive)
			fault(call.index, "a child's call worked in its parent's container");
		if (outcome != worked)
			return;
		if (call.event.must_fail)
			fault(call.index, "worked");
		judge_owner(call);
		judge_stranger(call);
		if (call.verb() == Verb::unreg)
			judge_unregister(call);
		if (call.verb() == Verb::map)
			judge_map(call);
	}

	static bool is_owners(Verb verb) { return verb >= Verb::enable && verb <= Verb::info; }
	static bool binds(Verb verb)
	{
		return verb == Verb::reg || verb == Verb::enable || verb == Verb::create || verb == Verb::remove;
	}

	void judge_owner(const Done &call)
	{
		if (!is_owners(call.verb()))
			return;
		for (auto &first : all_) {
			if (!binds(first.verb()) || !first.well() || !first.of(call.container()) ||
			    first.end > call.begin || first.operation.process() == call.operation.process())
				continue;
			if (!ends_session(first.begin, call.end))
				fault(call.index, "worked, though [{}] made the container process {}'s", first.index,
				      first.operation.process());
		}
	}
	// Whenever it took effect: the container was made its process's before.
	void judge_stranger(const Done &call)
	{
		bool needs = call.verb() == Verb::map || call.verb() == Verb::unmap || call.verb() == Verb::unreg;
		bool had = std::ranges::any_of(all_, [&](auto &first) {
			return binds(first.verb()) && first.perhaps() && first.of(call.container()) &&
			       first.operation.process() == call.operation.process() && first.begin < call.end;
		});
		if (needs && !had)
			fault(call.index, "worked, though nothing had made the container its process's");
	}
	bool ends_session(Time from, Time to) const
	{
		return std::ranges::any_of(all_, [&](auto &call) {
			return call.verb() == Verb::leave && call.perhaps() && call.during(from, to);
		});
	}

	void judge_unregister(const Done &call)
	{
		for (auto &map : all_) {
			bool inside = map.verb() == Verb::map && map.well() && map.of(call.container()) &&
				      map.operation.process() == call.operation.process() && map.end < call.begin &&
				      map.event.vaddr < call.event.vaddr + call.event.size &&
				      call.event.vaddr < map.event.vaddr + map.event.size;
			if (inside && !any_part_touched(map, call.end))
				fault(call.index, "worked, though [{}] maps that memory", map.index);
		}
	}
	bool any_part_touched(const Done &map, Time to) const
	{
		for (std::uint64_t at = 0; at < map.event.size; at += page_size())
			if (!untouched(map, map.event.at + at, to))
				return true;
		return false;
	}

	// A process maps what it has itself registered, or a container that it has enabled.
	void judge_map(const Done &map)
	{
		bool right = std::ranges::any_of(all_, [&](auto &call) {
			bool grants = call.verb() == Verb::enable ||
				      (call.verb() == Verb::reg &&
				       covers(call.event.vaddr, call.event.size, map.event.vaddr));
			return grants && call.perhaps() && call.of(map.container()) &&
			       call.operation.process() == map.operation.process() && call.begin < map.end;
		});
		if (!right)
			fault(map.index, "worked, though its process has registered nothing there");
	}

	const World &world_;
	const History &history_;
	std::vector<Done> all_;
	Verdict verdict_;
};

} // namespace

Verdict judge(const World &world, const History &history) { return Judge{world, history}.judge(); }

} // namespace harness::fuzz
