// SPDX-License-Identifier: GPL-2.0-only
#include "lib/tally.hh"

#include <fmt/format.h>

#include <map>
#include <string>

namespace harness
{

void Tally::add(const char *name, int code)
{
	for (auto &row : rows_) {
		const char *there = nullptr;
		if (row.name.compare_exchange_strong(there, name) || there == name) {
			++row.outcomes[static_cast<std::size_t>(code >= 0 && code < positive ? code : positive)];
			return;
		}
	}
	std::abort(); // more names than rows: a change of the test that forgot to make room
}

std::uint64_t Tally::times(std::string_view name, Errno outcome) const
{
	std::uint64_t sum = 0;
	for (auto &row : rows_)
		if (auto there = row.name.load(); there && there == name)
			sum += row.outcomes[static_cast<std::size_t>(outcome.code())];
	return sum;
}

void Tally::print() const
{
	// The same name may be in two places of the program, and so in two rows.
	std::map<std::pair<std::string, std::string>, std::uint64_t> lines;
	for (auto &row : rows_)
		for (int code = 0; code <= positive; ++code)
			if (auto times = row.outcomes[static_cast<std::size_t>(code)].load())
				lines[{row.name.load(), code == positive ? "positive"
							: code		 ? Errno{code}.name()
									 : "ok"}] += times;
	for (auto &[key, times] : lines)
		fmt::print("  {:<20} {:<12} {:>10}\n", key.first, key.second, times);
}

} // namespace harness
