// SPDX-License-Identifier: GPL-2.0-only
#include "model.hh"

namespace tcewin::test
{

unsigned Model::windows() const
{
	unsigned n = 0;
	for (const Window &w : windows_)
		n += w.there;
	return n;
}

const Model::Window *Model::at(u64 ioba) const
{
	for (const Window &w : windows_)
		if (w.holds(ioba))
			return &w;
	return nullptr;
}

Answers Model::add(u64 address, u64 size) const
{
	Answers why;
	for (const Region &r : regions_)
		if (r.address == address && r.size == size)
			why.or_(TCEWIN_ALREADY_REGISTERED);
		else if (r.address < address + size && address < r.address + r.size)
			why.or_(TCEWIN_OVERLAP);
	return why;
}

void Model::add_done(u64 address, u64 size)
{
	regions_.push({address, size});
	ever_registered_ = true;
}

Answers Model::drop(u64 address, u64 size) const
{
	bool known = false, mapped = false;
	for (const Region &r : regions_)
		known |= r.address == address && r.size == size;
	for (const Window &w : windows_)
		for (u64 i = 0; w.there && i < w.size >> w.page_shift; i++)
			mapped |= w.entries[i].access && w.entries[i].address - address < size;
	if (!known)
		return Answers{}.or_(TCEWIN_UNKNOWN_REGION);
	return mapped ? Answers{}.or_(TCEWIN_STILL_MAPPED) : Answers{};
}

void Model::drop_done(u64 address, u64 size)
{
	for (u64 i = 0; i < regions_.size(); i++)
		if (regions_[i].address == address && regions_[i].size == size)
			return regions_.erase(i);
}

Answers Model::create(u32 page_shift, u64 size) const
{
	const Personality &p = rig_.fake[0]->personality;
	if (!(p.page_sizes >> page_shift & 1))
		return Answers{}.or_(TCEWIN_BAD_PAGE_SHIFT);
	bool default_there = false, first_ddw_place_taken = false;
	for (const Window &w : windows_) {
		default_there |= w.there && w.is_default;
		first_ddw_place_taken |= w.there && w.start == p.ddw_start;
	}
	if (p.in_memory())
		return windows() < most_windows ? Answers{} : Answers{}.or_(TCEWIN_NO_SLOT);
	if (!default_there && page_shift == 12 && size <= p.default_size)
		return windows() ? Answers{}.or_(TCEWIN_IN_THE_WAY) : Answers{};
	if (windows() >= rig_.fake[0]->info.max_windows)
		return Answers{}.or_(TCEWIN_NO_SLOT);
	// QEMU would put it over the other one
	return !p.ddw_stride && first_ddw_place_taken ? Answers{}.or_(TCEWIN_FIRMWARE_ERROR) : Answers{};
}

u64 Model::free_place() const
{
	const Personality &p = rig_.personality();
	for (const Window &w : windows_)
		if (w.there && w.start == p.default_start)
			return p.ddw_start;
	return p.default_start;
}

void Model::create_done(u64 start, u64 size, u32 page_shift, bool is_default)
{
	Window &w = windows_[windows_[0].there];
	for (Entry &e : w.entries)
		e = {};
	w.there = true;
	w.is_default = is_default;
	w.start = start;
	w.size = size;
	w.page_shift = page_shift;
}

Answers Model::remove(u64 start) const
{
	for (const Window &w : windows_)
		if (w.there && w.start == start)
			return {};
	return Answers{}.or_(TCEWIN_UNKNOWN_WINDOW);
}

void Model::remove_done(u64 start)
{
	for (Window &w : windows_)
		if (w.there && w.start == start)
			w.there = false;
}

void Model::check_range(Answers &why, const Window &w, u64 ioba, u64 size) const
{
	const u64 mask = (u64{1} << w.page_shift) - 1;
	if (!size)
		why.or_(TCEWIN_ZERO_SIZE);
	if ((ioba | size) & mask)
		why.or_(TCEWIN_UNALIGNED);
	if (size > w.start + w.size - ioba)
		why.or_(TCEWIN_OUT_OF_WINDOW);
}

bool Model::registered(u64 address, u64 size) const
{
	for (u64 at = address; at < address + size; at += 4 * kib) {
		bool found = false;
		for (const Region &r : regions_)
			found |= at - r.address < r.size;
		if (!found)
			return false;
	}
	return true;
}

bool Model::in_one_piece(u64 address, u64 size) const
{
	const u64 real = rig_.host.memory.real_of(rig_.mm, address).value_or(0);
	for (u64 at = 0; at < size; at += 4 * kib)
		if (rig_.host.memory.real_of(rig_.mm, address + at).value_or(0) != real + at)
			return false;
	for (const Region &r : regions_)
		if (address - r.address < r.size)
			return real % size == 0 && address + size <= r.address + r.size;
	return false;
}

Answers Model::map(u64 ioba, u64 address, u64 size, u32 access) const
{
	Answers why;
	if (!ever_registered_)
		why.or_(TCEWIN_NOTHING_REGISTERED);
	const Window *w = at(ioba);
	if (!w)
		return why.or_(TCEWIN_NO_WINDOW);
	check_range(why, *w, ioba, size);
	const u64 page = u64{1} << w->page_shift;
	if (address & (page - 1))
		why.or_(TCEWIN_UNALIGNED);
	if (!(access & rw))
		why.or_(TCEWIN_NO_DIRECTION);
	if (!why.empty())
		return why;
	if (!registered(address, size))
		why.or_(TCEWIN_NOT_REGISTERED);
	for (u64 done = 0; done < size; done += page)
		if (!in_one_piece(address + done, page)) {
			why.or_(TCEWIN_PAGE_TOO_LARGE);
			break;
		}
	// both are said of an IOMMU page that begins in a region and ends outside, but not of 4 KiB
	return w->page_shift == 12 && why.has(TCEWIN_NOT_REGISTERED) ? Answers{}.or_(TCEWIN_NOT_REGISTERED) : why;
}

void Model::map_done(u64 ioba, u64 address, u64 size, u32 access)
{
	auto &w = const_cast<Window &>(*at(ioba));
	for (u64 done = 0; done < size; done += u64{1} << w.page_shift)
		w.entries[(ioba - w.start + done) >> w.page_shift] = {address + done, access};
}

Answers Model::unmap(u64 ioba, u64 size) const
{
	Answers why;
	if (!ever_registered_)
		why.or_(TCEWIN_NOTHING_REGISTERED);
	const Window *w = at(ioba);
	if (!w)
		return why.or_(TCEWIN_NO_WINDOW);
	check_range(why, *w, ioba, size);
	return why;
}

void Model::unmap_done(u64 ioba, u64 size) { map_done(ioba, 0, size, 0); }

void Model::compare() const
{
	for (const Window &w : windows_)
		for (u64 i = 0; w.there && i < w.size >> w.page_shift; i++) {
			const u64 ioba = w.start + (i << w.page_shift), page = u64{1} << w.page_shift;
			if (w.entries[i].access) {
				rig_.expect_mapped(ioba, w.entries[i].address, 4 * kib, w.entries[i].access);
				rig_.expect_mapped(ioba + page - 4 * kib, w.entries[i].address + page - 4 * kib,
						   4 * kib, w.entries[i].access);
			} else {
				rig_.expect_unmapped(ioba, 4 * kib);
			}
		}
	for (unsigned i = 0; i < rig_.pes; i++)
		compare_windows(i);
}

// Firmware has the windows in use and no others; while there are none, the empty default window. After a fault a window
// that firmware would not let go may be there as well, or that one missing: but all that nobody uses is empty.
void Model::compare_windows(unsigned pe) const
{
	unsigned in_use = 0, others = 0;
	for (const FakeTable *table : rig_.fake[pe]->tables) {
		const Window *w = rig_.attached[pe] ? at(table->start) : nullptr;
		// firmware may have put it where another one is that it would not let go: that is nobody's
		const bool used = w && w->start == table->start && w->page_shift == table->page_shift &&
				  w->is_default == table->is_default && table->object;
		(used ? in_use : others)++;
		if (!used && !table->words->empty())
			rig_.t.fail(__FILE__, __LINE__,
				    Line{}.add("nobody's window is not empty: ").hexadecimal(table->start));
	}
	const unsigned expected = rig_.attached[pe] ? windows() : 0;
	const bool as_expected = expected ? others == 0 : rig_.idle(pe);
	if (in_use != expected || (!as_expected && !rig_.host.injector.any_hit()))
		rig_.t.fail(__FILE__, __LINE__,
			    Line{}.add("windows in use: ").value(in_use).add(", others: ").value(others));
}

} // namespace tcewin::test
