// SPDX-License-Identifier: GPL-2.0-only
// ABI.md, defects: what is slow in tree where there is much of it, and what fills the log. Times are told and never
// judged.
#include "abi/case.hh"
#include "abi/maps.hh"
#include "lib/kmsg.hh"

namespace harness::abi
{

namespace
{

using Clock = std::chrono::steady_clock;
using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::nanoseconds;

// ---- many regions ----

constexpr std::size_t few = 8, lots = 8000, times = 500;

Result<> register_pages(Bench &b, std::size_t first, std::size_t end)
{
	for (auto n = first; n < end; ++n)
		if (auto done = b.container().register_memory(b.own->address() + n * page_size(), page_size()); !done)
			return done;
	return {};
}

// ns for one MAP and one UNMAP of the region registered first, which is the last to be found in a list.
Result<long> cost_of_map(Bench &b)
{
	auto begin = Clock::now();
	for (std::size_t i = 0; i < times; ++i) {
		if (auto done = map(b, b.iova(Bench::free_page), b.own->address(), 4096); !done)
			return std::unexpected{done.error()};
		if (auto done = b.container().unmap(b.iova(Bench::free_page), 4096); !done)
			return std::unexpected{done.error()};
	}
	return duration_cast<nanoseconds>(Clock::now() - begin).count() / static_cast<long>(times);
}

Result<> map_among_many(Bench &b)
{
	if (auto done = register_pages(b, 0, few); !done)
		return done;
	if (auto warm = cost_of_map(b); !warm)
		return fail(warm.error().code());
	auto short_list = cost_of_map(b);
	if (auto done = register_pages(b, few, lots); !done)
		return done;
	auto long_list = cost_of_map(b);
	if (!short_list || !long_list)
		return fail((short_list ? long_list : short_list).error().code());
	b.facts.push_back(fmt::format("a MAP and an UNMAP: {} ns with {} regions, {} ns with {}: {:.1f} times",
				      *short_list, few, *long_list, lots,
				      static_cast<double>(*long_list) / static_cast<double>(*short_list)));
	return {};
}

Result<> unregister_pages(Bench &b)
{
	for (std::size_t n = 0; n < lots; ++n)
		if (auto done = unregister(b, b.own->address() + n * page_size(), page_size()); !done)
			return done;
	return {};
}

// ---- the log ----

constexpr int failures = 1000, creates = 20, allowed = 10; // lines; a rate limit of the kernel's lets 10 through

Result<> fail_often(Bench &b)
{
	for (int i = 0; i < failures; ++i)
		if (map(b, b.iova(Bench::free_page + i % 8), b.extra().address(), 4096))
			return fail(EPROTO);
	for (int i = 0; i < creates; ++i) {
		if (b.terms().ddw) {
			auto window = Window::create(b.container(), page_shift(), Bench::ddw_size);
			if (!window)
				return std::unexpected{window.error()};
		}
		(void)b.container().tce_create(13, Bench::ddw_size, 1);
	}
	return {};
}

Result<> read_log_meanwhile(Bench &b)
{
	auto log = Kmsg::follow();
	if (!log)
		return std::unexpected{log.error()};
	if (auto done = fail_often(b); !done)
		return done;
	auto lines = log->lines();
	auto all = lines.size();
	// The platform tells of every window of a PE, whoever makes it; nobody can keep it from that.
	std::erase_if(lines, [](auto &line) { return line.contains("[PE# ") && line.contains(" window"); });
	b.facts.push_back(fmt::format("{} lines of the kernel for {} failed MAPs, {} CREATEs and as many refused",
				      lines.size(), failures, creates));
	if (lines.size() != all)
		b.facts.push_back(fmt::format("and {} of the platform's about windows", all - lines.size()));
	if (!lines.empty())
		b.facts.push_back("the first: " + lines.front());
	return lines.size() > allowed ? fail(EPROTO) : Result<>{};
}

// ---- an empty window of 2^24 TCEs ----

Result<> remove_large(Bench &b)
{
	auto window = Window::create(b.container(), page_shift(), 1ull << (page_shift() + 24));
	if (!window)
		return std::unexpected{window.error()};
	if (auto done = map(b, window->start(), b.vaddr(Bench::free_unit), page_size()); !done)
		return done;
	auto begin = Clock::now();
	auto removed = window->remove();
	b.facts.push_back(fmt::format("REMOVE of a window of 2^24 TCEs, one of them mapped: {} us",
				      duration_cast<microseconds>(Clock::now() - begin).count()));
	return removed;
}

const Case cases[] = {
	{.name = "defect/many-regions",
	 .row = "defects: many regions: the cost of a lookup, not of a list",
	 .prepare =
		 [](Bench &b) {
			 auto own = Buffer::anonymous(lots * page_size());
			 if (!own)
				 return Result<>{std::unexpected{own.error()}};
			 b.own.emplace(std::move(*own));
			 return Result<>{};
		 },
	 .call = map_among_many,
	 .finish = unregister_pages},
	{.name = "defect/log-flood",
	 .row = "defects: lines at error level on every failed MAP and every CREATE: rate-limited",
	 .call = read_log_meanwhile},
	{.name = "defect/clearing-a-window",
	 .row = "defects: clearing a window: only what is mapped",
	 .call = remove_large},
};

} // namespace

std::span<const Case> figure_cases() { return cases; }

} // namespace harness::abi
