// SPDX-License-Identifier: GPL-2.0-only
#include "bench.hh"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace bench
{

using Clock = std::chrono::steady_clock;

void must(const char *what, const Result<> &result)
{
	if (result)
		return;
	fmt::print("bench: {}: {}\n", what, result.error().name());
	std::exit(1);
}

std::pair<double, double> pair_of(const std::function<void()> &work, const std::function<void()> &undo, int times)
{
	auto best = std::pair{std::numeric_limits<double>::max(), std::numeric_limits<double>::max()};
	for (int i = 0; i < times; i++) {
		auto begin = Clock::now();
		work();
		auto middle = Clock::now();
		undo();
		auto end = Clock::now();
		best.first = std::min(best.first, std::chrono::duration<double, std::nano>(middle - begin).count());
		best.second = std::min(best.second, std::chrono::duration<double, std::nano>(end - middle).count());
	}
	return best;
}

double nanoseconds(const std::function<void()> &work, const std::function<void()> &undo, int times)
{
	return pair_of(work, undo, times).first;
}

// ---- memory ----

Buffer contiguous(std::uint64_t size)
{
	if (auto huge = Buffer::huge(size, 21))
		return std::move(*huge);
	return must("memory", Buffer::anonymous(size, 16 * mib));
}

// The kernel hands out pages in order, so they are touched in disorder.
Buffer scattered(std::uint64_t size)
{
	auto buffer = must("addresses", Buffer::reserved(size, 16 * mib));
	must("memory", buffer.protect(PROT_READ | PROT_WRITE));
	std::vector<std::uint32_t> order(size / page_size());
	std::iota(order.begin(), order.end(), 0u);
	std::ranges::shuffle(order, std::mt19937{1});
	for (auto page : order)
		buffer.bytes()[page * page_size()] = std::byte{1};
	return buffer;
}

// ---- figures ----

void Figures::add(Figure figure) { all_.push_back(std::move(figure)); }

void Figures::print() const
{
	fmt::print("\n  {:<52} {:>6} {:>12} {:>12} {:>8}\n", "ns", "per", "tcewin", "in-tree", "ratio");
	std::vector<std::string> rows;
	for (auto &f : all_)
		if (std::ranges::find(rows, f.row) == rows.end())
			rows.push_back(f.row);
	for (auto &row : rows) {
		std::map<Driver, const Figure *> by;
		for (auto &f : all_)
			if (f.row == row)
				by[f.driver] = &f;
		auto text = [&](Driver d) {
			return by.contains(d) ? fmt::format("{:.1f}", by[d]->ns) : std::string{"-"};
		};
		auto ratio = by.size() == 2 ? fmt::format("{:.1f}", by[Driver::in_tree]->ns / by[Driver::tcewin]->ns)
					    : std::string{};
		fmt::print("  {:<52} {:>6} {:>12} {:>12} {:>8}\n", row, by.begin()->second->unit, text(Driver::tcewin),
			   text(Driver::in_tree), ratio);
	}
	fmt::print("\n");
}

void Figures::print_json() const
{
	for (auto &f : all_)
		fmt::print("json: {{\"row\": \"{}\", \"unit\": \"{}\", \"driver\": \"{}\", \"ns\": {:.3f}}}\n", f.row,
			   f.unit, name_of(f.driver), f.ns);
}

} // namespace bench
