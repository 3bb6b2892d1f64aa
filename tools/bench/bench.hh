// SPDX-License-Identifier: GPL-2.0-only
// What a benchmark of one driver has at hand, and where its figures go. Both drivers run the same cases in one boot of
// a guest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/buffer.hh"
#include "lib/region.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace bench
{

using namespace harness;

inline constexpr std::uint64_t kib = 1024, mib = kib << 10, gib = mib << 10, tib = gib << 10;

// One number. Under -icount a nanosecond is one instruction of the guest.
struct Figure {
	std::string row;  // what was done
	std::string unit; // of what it is nanoseconds: "TCE", "call", "GiB"
	Driver driver;
	double ns;
};

class Figures
{
public:
	void add(Figure figure);
	void print() const; // a table with a column for each driver and their ratio
	void print_json() const;
	bool empty() const { return all_.empty(); }

private:
	std::vector<Figure> all_;
};

// A container of one driver with a window, and memory to map.
struct Bench {
	Driver driver;
	const Container &container;
	Figures &figures;
	std::uint64_t memory; // bytes to use at most

	void add(std::string row, std::string unit, double ns) const { figures.add({row, unit, driver, ns}); }
};

// How long a call of `work` takes, the shortest of several; what `undo` takes does not count.
double nanoseconds(const std::function<void()> &work, const std::function<void()> &undo, int times = 3);
// The same for both, of a pair that undo each other.
std::pair<double, double> pair_of(const std::function<void()> &work, const std::function<void()> &undo, int times = 3);

// A result that has to be right, or the figures mean nothing: says what failed and ends the program.
void must(const char *what, const Result<> &result);
template <typename T>
T must(const char *what, Result<T> result)
{
	if (!result)
		must(what, Result<>{std::unexpected{result.error()}});
	return std::move(*result);
}

// Physically contiguous as far as the kernel has it, and as scattered as it can be made.
Buffer contiguous(std::uint64_t size);
Buffer scattered(std::uint64_t size);

// The cases, a file each.
void mappings(const Bench &bench); // MAP and UNMAP by page size, length and shape of memory
void regions(const Bench &bench);  // the same among many registered regions; REGISTER and UNREGISTER
void windows(const Bench &bench);  // CREATE and REMOVE

} // namespace bench
