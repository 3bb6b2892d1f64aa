// SPDX-License-Identifier: GPL-2.0-only
#include "pe.hh"

#include <bit>

namespace tcewin
{

Pe::Pe(void *host, tcewin_platform platform, const tcewin_pe_info &info, tcewin_owner owner)
	: host_{host}, info_{info}, owner_{owner}, windows_{std::in_place_type<LparWindows>, *this, host, info_}
{
	if (platform == TCEWIN_IODA2)
		windows_.emplace<IodaWindows>(host, info_);
}

Pe::~Pe()
{
	(void)visit([](auto &windows) { return windows.end(); });
}

// ---- ownership ----

Result<> Pe::take()
{
	if (owner_ == TCEWIN_OWNER_USER)
		return {}; // the next device of the PE, or one that was just plugged in
	if (owner_ == TCEWIN_OWNER_RETURNING)
		TRY(to_platform());
	if (owner_ != TCEWIN_OWNER_KERNEL)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	if (auto r = from_status(tcewin_host_platform_take(host_, &info_)); !r) {
		if (r.error() != TCEWIN_STUCK) {
			owner_ = TCEWIN_OWNER_KERNEL;
			return r;
		}
		owner_ = TCEWIN_OWNER_RETURNING;
		return fail(TCEWIN_NO_MEMORY);
	}
	if (auto r = visit([](auto &windows) { return windows.begin(); }); !r) {
		(void)give_back();
		return r;
	}
	owner_ = TCEWIN_OWNER_USER;
	return {};
}

Result<> Pe::release()
{
	if (owner_ == TCEWIN_OWNER_KERNEL)
		return {};
	if (owner_ == TCEWIN_OWNER_RETURNING)
		return to_platform();
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	return give_back();
}

Result<> Pe::recover()
{
	if (owner_ != TCEWIN_OWNER_QUARANTINED)
		return release();
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	const auto empty = visit([](auto &windows) {
		(void)windows.end(); // what can be removed now; begin() ends the rest, or fails
		return windows.begin().and_then([&] { return windows.end(); });
	});
	if (empty)
		return to_platform();
	owner_ = TCEWIN_OWNER_QUARANTINED;
	return fail(TCEWIN_QUARANTINED);
}

void Pe::quarantine(const char *why, long value)
{
	owner_ = TCEWIN_OWNER_QUARANTINED;
	tcewin_host_event(host_, TCEWIN_EVENT_STUCK, why, value);
}

Result<> Pe::give_back()
{
	if (auto r = visit([](auto &windows) { return windows.end(); }); !r)
		return refused(r.error());
	return to_platform();
}

Result<> Pe::to_platform()
{
	const auto r = from_status(tcewin_host_platform_release(host_));
	if (r)
		owner_ = TCEWIN_OWNER_KERNEL;
	else if (r.error() != TCEWIN_NO_MEMORY)
		return refused(r.error());
	else
		owner_ = TCEWIN_OWNER_RETURNING;
	return r;
}

Result<> Pe::refused(Error error)
{
	quarantine("the kernel cannot have the PE back", error);
	return fail(TCEWIN_QUARANTINED);
}

// ---- windows ----

Result<PageShift> Pe::check_request(u32 page_shift, Bytes size, u32 levels) const
{
	static constexpr u32 levels_max = 5; // what PowerNV can have at most; without meaning on pSeries
	const auto page = PageShift::from(page_shift);
	if (!page || (info_.page_sizes & page->size().raw()) == 0)
		return fail(TCEWIN_BAD_PAGE_SHIFT);
	if (!std::has_single_bit(size.raw()) || size < page->size())
		return fail(TCEWIN_BAD_SIZE);
	// On pSeries 0 means 1, as in tree: from 10.1 on QEMU asks for that, and takes a refusal for final.
	if (levels > levels_max || (levels == 0 && shares_tables()))
		return fail(TCEWIN_BAD_LEVELS);
	// QEMU's firmware cuts the number of TCEs to 32 bits; what it then leaves behind ends the machine later.
	if (!shares_tables() && page->pages(size).raw() >> 32)
		return fail(TCEWIN_TOO_LARGE);
	if (borrowed() && (*page != page_4k || size != default_geometry().size))
		return fail(TCEWIN_NO_DDW);
	return *page;
}

// ---- windows for somebody else ----

Result<tcewin_window_info> Pe::open(u32 page_shift, Bytes size, u32 levels)
{
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	const PageShift page = TRY(check_request(page_shift, size, levels));
	auto *lpar = std::get_if<LparWindows>(&windows_);
	const auto made = lpar ? lpar->open(page, size) : fail(TCEWIN_NO_DDW);
	return made.transform([&](const PeWindow &window) { return describe(window); });
}

Result<> Pe::close(Liobn liobn)
{
	auto *lpar = std::get_if<LparWindows>(&windows_);
	const PeWindow *there = lpar ? lpar->find(liobn) : nullptr;
	if (!there)
		return fail(TCEWIN_UNKNOWN_WINDOW);
	const PeWindow window = *there;
	suspect(window); // it is not known whether its user emptied it
	if (remove(window))
		return {};
	const bool empty = lpar->empty(window).has_value();
	orphan(window);
	if (empty)
		return {};
	quarantine(neither_emptied_nor_removed, 0);
	return fail(TCEWIN_STUCK);
}

} // namespace tcewin
