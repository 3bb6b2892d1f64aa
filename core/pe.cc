// SPDX-License-Identifier: GPL-2.0-only
#include "pe.hh"

namespace tcewin
{

Result<> Pe::take()
{
	if (owner_ == TCEWIN_OWNER_USER)
		return {}; // the next device of the PE, or one that was just plugged in
	if (owner_ != TCEWIN_OWNER_KERNEL)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	if (auto r = from_status(tcewin_host_platform_take(host_, &info_)); !r) {
		owner_ = TCEWIN_OWNER_KERNEL;
		return r;
	}
	if (auto r = end_kernel_windows(); !r) {
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
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	owner_ = TCEWIN_OWNER_HANDING_OVER;
	return give_back();
}

void Pe::quarantine(const char *why, long value)
{
	owner_ = TCEWIN_OWNER_QUARANTINED;
	tcewin_host_event(host_, TCEWIN_EVENT_STUCK, why, value);
}

// What the platform leaves of the default window is still in the device's reach: a reset makes it known, then it is
// emptied.
Result<> Pe::end_kernel_windows() { return make_spare(Signals::heed); }

// The platform's reset takes away what could not be removed; it is empty, or this PE would be in quarantine.
Result<> Pe::give_back()
{
	end_all();
	for (auto &slot : windows_)
		if (slot)
			windows_.forget(slot);
	if (auto r = from_status(tcewin_host_platform_release(host_)); !r) {
		quarantine("the kernel cannot have the PE back", r.error());
		return fail(TCEWIN_QUARANTINED);
	}
	owner_ = TCEWIN_OWNER_KERNEL;
	return {};
}

// ---- windows for somebody else ----

Result<tcewin_window_info> Pe::open(u32 page_shift, Bytes size, u32 levels)
{
	if (owner_ != TCEWIN_OWNER_USER)
		return fail(TCEWIN_QUARANTINED);
	const PageShift page = TRY(check_request(page_shift, size, levels));
	const auto *there = windows_.find(Liobn{info_.default_liobn});
	const bool in_use = there && (*there)->use == Use::live;
	const auto made = !in_use && fits_default(page, size) ? restore_default(size) : create(page, size);
	return made.transform([&](const PeWindow &window) { return describe(window); });
}

Result<> Pe::close(Liobn liobn)
{
	auto *slot = windows_.find(liobn);
	if (!slot)
		return fail(TCEWIN_UNKNOWN_WINDOW);
	const PeWindow window = (*slot)->window;
	suspect(); // it is not known whether its user emptied it
	if (remove(window))
		return {};
	const bool empty = clear_all(window, Signals::ignore).has_value();
	orphan(window);
	if (empty)
		return {};
	quarantine(neither_emptied_nor_removed, 0);
	return fail(TCEWIN_STUCK);
}

} // namespace tcewin
