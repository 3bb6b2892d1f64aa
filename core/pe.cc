// SPDX-License-Identifier: GPL-2.0-only
#include "pe.hh"

#include <bit>

namespace tcewin
{

namespace
{

// RTAS status words, LoPAR 7.3.
enum : int { rtas_success = 0, rtas_parameter = -3 };

template <class Call>
int until_done(Call call)
{
	int status;
	do
		status = call();
	while (tcewin_host_rtas_wait(status));
	return status;
}

} // namespace

Pe::~Pe() { abandon(); }

void Pe::abandon()
{
	for (auto &slot : windows_)
		if (slot)
			slot->orphan = true;
	sweep();
}

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

// What the platform leaves of the default window is still in the device's reach: a reset makes it known, then it is
// emptied and goes. A PE without DDW keeps the one it has.
Result<> Pe::end_kernel_windows()
{
	if (info_.max_windows == 0)
		return {};
	const PeWindow left = TRY(restore_default(Bytes{info_.default_size}));
	return remove(left);
}

// The platform's reset takes away what could not be removed; it is empty, or this PE would be in quarantine.
Result<> Pe::give_back()
{
	abandon();
	for (auto &slot : windows_)
		slot.reset();
	if (auto r = from_status(tcewin_host_platform_release(host_)); !r) {
		quarantine();
		tcewin_host_event(host_, TCEWIN_EVENT_STUCK, "the kernel cannot have the PE back", r.error());
		return fail(TCEWIN_QUARANTINED);
	}
	owner_ = TCEWIN_OWNER_KERNEL;
	return {};
}

Result<PeWindow> Pe::restore_default(Bytes size)
{
	if (info_.max_windows == 0)
		return fail(TCEWIN_NO_DDW);
	sweep();
	for (const auto &slot : windows_)
		if (slot)
			return fail(TCEWIN_IN_THE_WAY);
	note_leftovers();
	const int status = until_done([&] { return tcewin_host_ddw_reset(host_); });
	if (status != rtas_success) {
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "ibm,reset-pe-dma-windows", status);
		return fail(TCEWIN_FIRMWARE_ERROR);
	}
	// All of it is in the device's reach, so all of it is emptied, whatever part the user asked for.
	const PeWindow whole{Liobn{info_.default_liobn}, default_geometry(), WindowKind::default_window};
	PeWindow asked = whole;
	asked.geometry.size = size;
	if (auto r = clear_all(whole).and_then([&] { return enter(asked); }); !r) {
		if (!firmware_remove(asked.liobn))
			windows_[0] = Slot{asked, true};
		return fail(r.error());
	}
	return asked;
}

// A DDW that nobody here knows of is about to be reset away, with whatever is in it.
void Pe::note_leftovers()
{
	tcewin_ddw_query answer{};
	const int status = until_done([&] { return tcewin_host_ddw_query(host_, &answer); });
	if (status != rtas_success || answer.windows_available == 0)
		suspect_ = true;
}

Result<PeWindow> Pe::create(PageShift page, Bytes size)
{
	sweep();
	TRY(query(page, size));
	tcewin_ddw_window made{};
	const u32 window_shift = static_cast<u32>(std::countr_zero(size.raw()));
	const int status = until_done([&] { return tcewin_host_ddw_create(host_, page.raw(), window_shift, &made); });
	if (status != rtas_success) {
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "ibm,create-pe-dma-window", status);
		return fail(status == rtas_parameter ? TCEWIN_TOO_LARGE : TCEWIN_FIRMWARE_ERROR);
	}
	const PeWindow window{Liobn{made.liobn}, {Ioba{made.start}, size, page}, WindowKind::ddw};
	Result<> r;
	if (!page.aligned(window.geometry.start) || !fits(window.geometry.start, size) || overlaps(window.geometry)) {
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "window out of place at",
				  static_cast<long>(made.start));
		r = fail(TCEWIN_FIRMWARE_ERROR);
	} else if (suspect_ || info_.max_windows == 1) {
		r = clear_all(window);
	}
	if (r)
		r = enter(window);
	if (!r) {
		if (!firmware_remove(window.liobn))
			(void)enter(window).transform([&] { orphan(window); });
		return fail(r.error());
	}
	return window;
}

Result<PeWindow> Pe::create_at(PageShift page, Bytes size, Ioba start)
{
	PeWindow first = TRY(create(page, size));
	if (first.geometry.start == start)
		return first;
	if (auto r = remove(first); !r) {
		orphan(first);
		return fail(r.error());
	}
	if (info_.max_windows == 1)
		return fail(TCEWIN_INCOMPATIBLE);
	// With no window at all some firmware gives the default window's place to the first create: keep that place for
	// a while.
	const PeWindow keeper = TRY(restore_default(Bytes{info_.default_size}).transform_error([](Error e) {
		return e == TCEWIN_IN_THE_WAY ? TCEWIN_INCOMPATIBLE : e;
	}));
	auto second = create(page, size);
	if (auto r = remove(keeper); !r)
		orphan(keeper);
	if (second && second->geometry.start != start) {
		if (auto r = remove(*second); !r)
			orphan(*second);
		return fail(TCEWIN_INCOMPATIBLE);
	}
	return second;
}

Result<> Pe::remove(const PeWindow &window)
{
	TRY(firmware_remove(window.liobn));
	const tcewin_window_info info = describe(window);
	tcewin_host_window_removed(host_, &info);
	find(window)->reset();
	return {};
}

void Pe::orphan(const PeWindow &window) { (*find(window))->orphan = true; }

tcewin_window_info Pe::describe(const PeWindow &w) const
{
	return {w.liobn.raw(), w.geometry.page_shift.raw(), w.kind == WindowKind::default_window,
		w.geometry.start.raw(), w.geometry.size.raw()};
}

// The place of @window, or else nullptr.
std::optional<Pe::Slot> *Pe::find(const PeWindow &window)
{
	for (auto &slot : windows_)
		if (slot && slot->window.liobn == window.liobn)
			return &slot;
	return nullptr;
}

bool Pe::overlaps(const WindowGeometry &geometry) const
{
	for (const auto &slot : windows_)
		if (slot && slot->window.geometry.overlaps(geometry))
			return true;
	return false;
}

// @window is ours from now on, and the kernel knows of it. NO_SLOT, or what the host says.
Result<> Pe::enter(const PeWindow &window)
{
	for (auto &slot : windows_) {
		if (slot)
			continue;
		const tcewin_window_info info = describe(window);
		TRY(from_status(tcewin_host_window_added(host_, &info)));
		slot = Slot{window, false};
		return {};
	}
	return fail(TCEWIN_NO_SLOT);
}

Result<> Pe::clear_all(const PeWindow &window)
{
	return table(window).visit([&](auto &backend) -> Result<> {
		Writer writer{backend, nullptr, TceIndex{0}, Signals::heed};
		TRY(writer.clear(window.geometry.all()));
		TRY(writer.flush());
		backend.invalidate(window.geometry.all());
		return {};
	});
}

// Firmware can make such a window now.
Result<> Pe::query(PageShift page, Bytes size)
{
	tcewin_ddw_query answer{};
	const int status = until_done([&] { return tcewin_host_ddw_query(host_, &answer); });
	if (status != rtas_success) {
		tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "ibm,query-pe-dma-windows", status);
		return fail(TCEWIN_FIRMWARE_ERROR);
	}
	if (answer.windows_available == 0)
		return fail(TCEWIN_NO_SLOT);
	if ((answer.page_sizes & page.size().raw()) == 0)
		return fail(TCEWIN_BAD_PAGE_SHIFT);
	if (page.pages(size).raw() > answer.largest_block)
		return fail(TCEWIN_TOO_LARGE);
	return {};
}

Result<> Pe::firmware_remove(Liobn liobn)
{
	const int status = until_done([&] { return tcewin_host_ddw_remove(host_, liobn.raw()); });
	if (status == rtas_success)
		return {};
	tcewin_host_event(host_, TCEWIN_EVENT_FIRMWARE, "ibm,remove-pe-dma-window", status);
	return fail(TCEWIN_FIRMWARE_ERROR);
}

// Another try at the windows that nobody uses any more.
void Pe::sweep()
{
	for (auto &slot : windows_)
		if (slot && slot->orphan)
			(void)remove(slot->window);
}

} // namespace tcewin
