// SPDX-License-Identifier: GPL-2.0-only
// What a device can do through one window while it exists.
#include "cmd/life.hh"
#include "lib/platform.hh"

namespace harness
{

namespace
{

constexpr std::uint64_t scratch_page = 0; // IOMMU pages from the window's start
constexpr std::uint64_t pair_page = 7;

struct Place {
	std::uint64_t iova;
	Pieces pieces;
};

class Exercise
{
public:
	Exercise(Report &report, const Container &container, const Edu &edu, const Units &units, const Geometry &window,
		 Window_story &story)
		: report_{report}, container_{container}, units_{units}, window_{window}, story_{story},
		  scratch_ioba_{window.start + scratch_page * window.page()},
		  probe_{edu, units.scratch(), scratch_ioba_, units.memory}
	{
	}

	void run()
	{
		auto scratch = Mapping::make(container_, scratch_ioba_, units_.address(units_.scratch_index()),
					     window_.page());
		if (!step("MAP_DMA the scratch page", scratch))
			return;
		pair();
		last_page();
		permission(Access::read);
		permission(Access::write);
		report_.step(label("UNMAP_DMA the scratch page"), scratch->unmap());
	}

private:
	std::string label(std::string_view what) const { return fmt::format("{}: {}", story_.name, what); }

	template <typename T>
	bool step(std::string_view what, const Result<T> &result)
	{
		return report_.step(label(what), result);
	}

	// Sub-page offsets of the processor's pages are used where an IOMMU page is smaller than one.
	std::uint64_t inside(std::size_t count) const
	{
		return window_.page() < units_.unit ? count * window_.page() % units_.unit : 0;
	}
	Result<Mapping> map(std::uint64_t iova, std::size_t unit, std::uint64_t offset, Access access = Access::both)
	{
		return Mapping::make(container_, iova, units_.address(unit, offset), window_.page(), access);
	}

	// Two IOMMU pages in a row, far apart and in the other order in memory; the transfer starts and ends inside
	// them.
	void pair()
	{
		auto iova = window_.start + pair_page * window_.page();
		auto first = map(iova, 5, inside(3));
		auto second = map(iova + window_.page(), 2, inside(7));
		if (!step("MAP_DMA two pages, not neighbours in memory", first) || !step("MAP_DMA the second", second))
			return;

		constexpr std::size_t head = 1001, tail = 2002;
		Place across{iova + window_.page() - head,
			     {units_.at(5, inside(3) + window_.page() - head, head), units_.at(2, inside(7), tail)}};
		Place neighbour{iova + window_.page() + 13, {units_.at(2, inside(7) + 13, tail)}};
		moves(across);

		step("UNMAP_DMA the first page", first->unmap());
		cannot(Place{iova + 17, {units_.at(5, inside(3) + 17, 777)}}, "the unmapped page");
		expect_reach(report_, label("device writes to the page beside it"),
			     probe_.write(neighbour.iova, neighbour.pieces), Reach::arrived);
		step("UNMAP_DMA the second page", second->unmap());
		auto gone = cannot(neighbour, "what was unmapped last");
		story_.after_unmap = gone;
	}

	void moves(const Place &place)
	{
		auto size = total_size(place.pieces);
		auto bytes = [size](bool exact) { return fmt::format("{} B {}", size, exact ? "exact" : "WRONG"); };
		story_.written = bytes(expect_reach(report_, label("device writes over the page border"),
						    probe_.write(place.iova, place.pieces), Reach::arrived));
		story_.read = bytes(expect_reach(report_, label("device reads over the page border"),
						 probe_.read(place.iova, place.pieces), Reach::arrived));
	}

	std::string cannot(const Place &place, std::string_view where)
	{
		bool write = expect_reach(report_, label(fmt::format("device writes to {}", where)),
					  probe_.write(place.iova, place.pieces), Reach::nothing);
		bool read = expect_reach(report_, label(fmt::format("device reads from {}", where)),
					 probe_.read(place.iova, place.pieces), Reach::nothing);
		return write && read ? "no" : "YES";
	}

	void last_page()
	{
		constexpr std::size_t count = 100;
		auto mapping = map(window_.end() - window_.page(), 9, inside(1));
		if (!step("MAP_DMA the window's last page", mapping))
			return;
		Pieces pieces{units_.at(9, inside(1) + window_.page() - count, count)};
		expect_reach(report_, label("device writes the window's last bytes"),
			     probe_.write(window_.end() - count, pieces), Reach::arrived);
		expect_reach(report_, label("device reads the window's last bytes"),
			     probe_.read(window_.end() - count, pieces), Reach::arrived);
		step("UNMAP_DMA the last page", mapping->unmap());
	}

	void permission(Access access)
	{
		auto iova = window_.start + 3 * window_.page();
		auto name = access == Access::read ? "READ only" : "WRITE only";
		auto mapping = map(iova, 11, inside(2), access);
		if (!step(fmt::format("MAP_DMA a page for {}", name), mapping))
			return;
		Pieces pieces{units_.at(11, inside(2) + 5, 333)};
		expect_reach(report_, label(fmt::format("device writes to the page mapped {}", name)),
			     probe_.write(iova + 5, pieces), access == Access::read ? Reach::nothing : Reach::arrived);
		expect_reach(report_, label(fmt::format("device reads from the page mapped {}", name)),
			     probe_.read(iova + 5, pieces),
			     access == Access::read || platform().write_implies_read ? Reach::arrived : Reach::nothing);
		step("UNMAP_DMA it", mapping->unmap());
	}

	Report &report_;
	const Container &container_;
	const Units &units_;
	const Geometry &window_;
	Window_story &story_;
	std::uint64_t scratch_ioba_;
	Probe probe_;
};

} // namespace

std::string verdict(Reach reach)
{
	if (reach == Reach::nothing)
		return "no";
	return reach == Reach::arrived ? "YES" : std::string{name_of(reach)};
}

bool expect_reach(Report &report, std::string_view what, const Result<Reach> &reach, Reach wanted)
{
	if (!reach)
		return report.step(what, reach);
	return report.check(what, *reach == wanted, name_of(*reach));
}

void exercise(Report &report, const Container &container, const Edu &edu, const Units &units, const Geometry &window,
	      Window_story &story)
{
	Exercise{report, container, edu, units, window, story}.run();
}

} // namespace harness
