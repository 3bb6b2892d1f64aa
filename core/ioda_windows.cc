// SPDX-License-Identifier: GPL-2.0-only
#include "ioda_windows.hh"

namespace tcewin
{

Result<PeWindow> IodaWindows::enter(u32 number, PageShift page, Bytes size, WindowKind kind)
{
	const PeWindow window{Liobn{number}, {start(number), size, page}, kind};
	TRY(windows_.enter(window, Use::live));
	return window;
}

// Another try at the places that the platform did not empty.
void IodaWindows::sweep()
{
	for (auto &slot : windows_)
		if (slot && slot->use == Use::orphan)
			(void)drop(slot);
}

// Why a place cannot be had that is nobody's.
Error IodaWindows::taken(Error otherwise) { return windows_.find(Use::orphan) ? TCEWIN_FIRMWARE_ERROR : otherwise; }

Result<PeWindow> IodaWindows::restore_default(Bytes size)
{
	sweep();
	if (windows_.find(Liobn{0}))
		return fail(taken(TCEWIN_NO_SLOT));
	return enter(0, page_4k, size, WindowKind::default_window);
}

Result<PeWindow> IodaWindows::create(PageShift page, Bytes size)
{
	sweep();
	for (u32 number = 0; number < info_.max_windows; number++)
		if (!windows_.find(Liobn{number}))
			return enter(number, page, size, WindowKind::ddw);
	return fail(taken(TCEWIN_NO_SLOT));
}

Result<PeWindow> IodaWindows::create_at(PageShift page, Bytes size, Ioba at)
{
	sweep();
	for (u32 number = 0; number < info_.max_windows; number++)
		if (start(number) == at && !windows_.find(Liobn{number}))
			return enter(number, page, size, WindowKind::ddw);
	return fail(taken(TCEWIN_INCOMPATIBLE));
}

Result<> IodaWindows::connect(const PeWindow &window, tcewin_host_table *table)
{
	auto r = from_status(tcewin_host_set_window(host_, window.liobn.raw(), table));
	walked_[window.liobn.raw()] = r || r.error() != TCEWIN_FIRMWARE_ERROR;
	return r;
}

Result<> IodaWindows::remove(const PeWindow &window) { return drop(*windows_.find(window.liobn)); }

Result<> IodaWindows::drop(Slot &slot)
{
	bool &walked = walked_[slot->window.liobn.raw()];
	if (walked)
		TRY(from_status(tcewin_host_unset_window(host_, slot->window.liobn.raw())));
	walked = false;
	windows_.forget(slot);
	return {};
}

void IodaWindows::orphan(const PeWindow &window) { (*windows_.find(window.liobn))->use = Use::orphan; }

void IodaWindows::abandon()
{
	if (!end())
		for (auto &slot : windows_)
			if (slot)
				slot->use = Use::orphan;
}

Result<> IodaWindows::end()
{
	Result<> result;
	for (auto &slot : windows_)
		if (slot)
			if (auto r = drop(slot); !r)
				result = r;
	return result;
}

} // namespace tcewin
