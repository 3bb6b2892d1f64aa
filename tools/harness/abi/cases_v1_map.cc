// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: MAP_DMA in a v1 container as far as it differs: it pins what it maps.
#include "abi/case.hh"
#include "abi/maps.hh"

namespace harness::abi
{

namespace
{

constexpr const char *hole_row = "MAP (v1): pins now: hole in it: EFAULT (as REGISTER)";
constexpr const char *reading_row = "defects: v1 MAP for READ of memory that the process may only read: works";
constexpr const char *pins_row = "MAP (v1): pinned now, by the page, and accounted by ENABLE";

std::string many_are_there(Bench &b)
{
	auto middle = 2 * 4096;
	Pieces across{b.at(Bench::free_unit, middle - 100, 200)};
	auto iova = b.iova(Bench::free_page) + middle - 100;
	if (auto seen = b.writes(iova, across); seen != Reach::arrived)
		return fmt::format("device's write: {}", seen ? name_of(*seen) : "?");
	if (auto seen = b.reads(iova, across); seen != Reach::arrived)
		return fmt::format("device's read: {}", seen ? name_of(*seen) : "?");
	return b.counted(0, many);
}

// The extra memory has a hole at a page.
template <std::size_t page>
Result<> punch(Bench &b)
{
	if (auto done = b.extra().discard(page * page_size(), page_size()); !done)
		return done;
	return map_old(b);
}
Result<> map_extra(Bench &b) { return map(b, b.iova(Bench::free_page), b.extra().address(), 4 * page_size()); }
// A file that this process has open for reading only, seen at `created`; what is in it is written through `own`.
Result<> open_for_reading(Bench &b)
{
	Fd file{::memfd_create("read-only", MFD_CLOEXEC)};
	if (!file || ::ftruncate(file.get(), static_cast<off_t>(b.unit())) != 0)
		return fail_errno();
	auto own = Buffer::of_file(file.get(), b.unit());
	if (!own)
		return std::unexpected{own.error()};
	b.own.emplace(std::move(*own));
	auto reader = Fd::open(fmt::format("/proc/self/fd/{}", file.get()).c_str(), O_RDONLY);
	if (!reader)
		return std::unexpected{reader.error()};
	auto view = ::mmap(nullptr, b.unit(), PROT_READ, MAP_SHARED, reader->get(), 0);
	if (view == MAP_FAILED)
		return fail_errno();
	b.created = reinterpret_cast<std::uint64_t>(view);
	return count(b);
}
template <Access access>
Result<> map_view(Bench &b)
{
	return map(b, b.iova(Bench::free_page), *b.created, many * 4096, access);
}
std::string view_is_read(Bench &b)
{
	auto iova = b.iova(Bench::free_page) + 4000;
	Pieces there{b.own->bytes(4000, 300)};
	if (auto seen = b.reads(iova, there); seen != Reach::arrived)
		return fmt::format("device's read: {}", seen ? name_of(*seen) : "?");
	if (auto seen = b.writes(iova, there); seen != Reach::nothing)
		return fmt::format("device's write: {}", seen ? name_of(*seen) : "?");
	return b.counted(0, many);
}
Result<> close_view(Bench &b)
{
	auto unmapped = unmap_free(b);
	::munmap(reinterpret_cast<void *>(*b.created), b.unit());
	b.own.reset();
	return unmapped;
}

// Anonymous memory that has been made read-only after it was written.
Result<> make_read_only(Bench &b)
{
	if (auto done = b.extra().protect(PROT_READ); !done)
		return done;
	return count(b);
}
template <Access access>
Result<> map_for_extra(Bench &b)
{
	return map(b, b.iova(Bench::free_page), b.extra().address(), many * 4096, access);
}
std::string extra_is_read(Bench &b)
{
	if (auto wrong = b.counted(0, many); !wrong.empty())
		return wrong;
	if (!b.extra().protect(PROT_READ | PROT_WRITE))
		return "mprotect";
	auto seen = b.reads(b.iova(Bench::free_page + 1) + 9, {b.extra().bytes(4096 + 9, 200)});
	return seen == Reach::arrived ? "" : fmt::format("device's read: {}", seen ? name_of(*seen) : "?");
}

constexpr auto at = Stage::v1_ready;

const Case cases[] = {
	{.name = "v1-map/vaddr-overflow",
	 .row = hole_row,
	 .expected = {EFAULT, EINVAL},
	 .stage = at,
	 .call = [](Bench &b) { return map(b, b.iova(Bench::free_page), ~0ull - 4095, 2 * 4096); }},
	{.name = "v1-map/vaddr-null",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .call = with<Call::map, &Map::vaddr, 0u>},
	{.name = "v1-map/kernel-address",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .call = with<Call::map, &Map::vaddr, 0xc000000000000000u>},
	{.name = "v1-map/hole-at-start",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = punch<0>,
	 .call = map_extra,
	 .verify = old_is_there,
	 .finish = unmap_free},
	{.name = "defect/v1-rollback-keeps-earlier",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = punch<2>,
	 .call = map_extra,
	 .verify = old_is_there,
	 .finish = unmap_free},
	{.name = "v1-map/hole-at-end",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = punch<3>,
	 .call = map_extra,
	 .verify = old_is_there,
	 .finish = unmap_free},
	{.name = "v1-map/unreadable",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = [](Bench &b) { return b.extra().protect(PROT_NONE); },
	 .call = map_for_extra<Access::read>},

	{.name = "v1-map/pins",
	 .row = pins_row,
	 .stage = at,
	 .prepare = count,
	 .call = map_many,
	 .verify = many_are_there,
	 .finish = unmap_free},
	{.name = "v1-map/last-page",
	 .row = pins_row,
	 .stage = at,
	 .prepare = count,
	 .call = [](Bench &b) { return map_free(b, b.window_end() - 4096, 4096); },
	 .verify = [](Bench &b) -> std::string {
		 return b.reaches(b.window_end() - 4096 + 11, Bench::free_unit) ? b.counted(0, 1)
										: "device does not reach it";
	 },
	 .finish = [](Bench &b) { return b.container().unmap(b.window_end() - 4096, 4096); }},
	{.name = "v1-map/same-memory-twice",
	 .row = pins_row,
	 .stage = at,
	 .prepare = map_many_and_count,
	 .call = [](Bench &b) { return map_free(b, b.iova(Bench::free_page + 8), many * 4096); },
	 .verify = many_are_there,
	 .finish = unmap_free},

	{.name = "defect/v1-read-of-read-only-file",
	 .row = reading_row,
	 .stage = at,
	 .prepare = open_for_reading,
	 .call = map_view<Access::read>,
	 .verify = view_is_read,
	 .finish = close_view},
	{.name = "v1-map/write-to-read-only-file",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = open_for_reading,
	 .call = map_view<Access::write>,
	 .finish = close_view},
	{.name = "v1-map/both-of-read-only-file",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = open_for_reading,
	 .call = map_view<Access::both>,
	 .finish = close_view},
	{.name = "defect/v1-read-of-read-only-memory",
	 .row = reading_row,
	 .stage = at,
	 .prepare = make_read_only,
	 .call = map_for_extra<Access::read>,
	 .verify = extra_is_read,
	 .finish = unmap_free},
	{.name = "v1-map/write-to-read-only-memory",
	 .row = hole_row,
	 .expected = EFAULT,
	 .stage = at,
	 .prepare = make_read_only,
	 .call = map_for_extra<Access::write>},
};

} // namespace

std::span<const Case> v1_map_cases() { return cases; }

} // namespace harness::abi
