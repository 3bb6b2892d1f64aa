// SPDX-License-Identifier: GPL-2.0-only
// What a benchmark of one driver has at hand, and where its figures go. Both drivers run the same cases in one boot of
// a guest.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "floor.hh"
#include "lib/buffer.hh"
#include "lib/modules.hh"
#include "lib/region.hh"
#include "lib/rig.hh"
#include "lib/window.hh"

namespace bench
{

using namespace harness;

inline constexpr std::uint64_t kib = 1024, mib = kib << 10, gib = mib << 10, tib = gib << 10;

// One number, printed at once as a line of JSON: what comes after it may end the guest. tools/bench/run puts them
// together.
struct Figure {
	std::string row;       // what was done
	std::string_view unit; // of what it is the cost: "TCE", "call", "GiB"
	std::string_view measure =
		"time"; // in nanoseconds, which under -icount are instructions; or "hypercalls", "bytes"
	double value;
	std::uint64_t bytes = 0; // of a MAP or UNMAP
	std::uint64_t tces = 0;	 // likewise
};

void print(std::string_view whose, const Figure &figure); // "tcewin", "in-tree", "floor"

// What there is to measure with: made once, for both drivers.
struct Means {
	const Pci_function &function;
	const Floor &floor;
	std::uint64_t memory; // bytes to use at most
	bool count;	      // hypercalls
};

// A container of one driver without a window.
struct Bench {
	Driver driver;
	const Rig &rig;
	const Means &means;
	bool first; // of the drivers: what is the same for both is measured here

	const Container &container() const { return rig.container(); }
	void add(const Figure &figure) const { print(name_of(driver), figure); }
	void add(std::string row, std::string_view unit, double ns) const
	{
		add({.row = std::move(row), .unit = unit, .value = ns});
	}
};

struct Costs {
	double work;
	double undo;
};
// What calls of two functions that undo each other take, the shortest time of several: as many as there is patience
// for.
Costs pair_of(const std::function<void()> &work, const std::function<void()> &undo);

// One request, in the window and from the region both from the beginning on.
struct Request {
	const Container &container;
	const Window &window;
	const Region &region;
	std::uint64_t bytes;

	std::uint64_t tces() const { return bytes / window.page(); }
	// The in-tree driver takes no IOMMU page larger than the kernel knows the memory's pages to be.
	bool possible() const;
	void map() const;
	void unmap() const;
	Costs time() const;			 // nanoseconds, of all of it
	std::optional<Costs> hypercalls() const; // nothing: they cannot be counted here
};

// A result that has to be right, or the figures mean nothing: says what failed and ends the program.
void must(const char *what, const Result<> &result);
template <typename T>
T must(const char *what, Result<T> result)
{
	if (!result)
		must(what, Result<>{std::unexpected{result.error()}});
	return std::move(*result);
}

std::string size_text(std::uint64_t bytes); // "64 KiB"

// Physically contiguous as far as the kernel has it (huge pages, which the in-tree driver asks for, or the floor
// module's); what goes beyond the memory to be used is the same over again.
Buffer contiguous(const Means &means, std::uint64_t size);
// As scattered as it can be made.
Buffer scattered(std::uint64_t size);

// The cases, a file each.
void mappings(const Bench &bench); // MAP and UNMAP by page size, length and shape of memory
void replay(const Bench &bench);   // MAP and UNMAP a page at a time
void regions(const Bench &bench);  // the same among many registered regions; REGISTER and UNREGISTER
void kvm(const Bench &bench);	   // before and after KVM has put an entry
void windows(const Bench &bench);  // CREATE and REMOVE
void threads(const Bench &bench);  // side by side
void stalls(const Bench &bench);   // the longest calls, and what waits for them

// Both drivers beside the limits that are promised: counts, no times. True: all are kept.
bool check(const Means &means);

// One driver loaded, alone, with a container open, for as long as `use` takes.
void with_driver(Driver driver, const Means &means, bool first, const std::function<void(const Bench &)> &use);

} // namespace bench
