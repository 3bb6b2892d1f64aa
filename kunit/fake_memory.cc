// SPDX-License-Identifier: GPL-2.0-only
#include "fake_memory.hh"

#include <new>

namespace tcewin::test
{

namespace
{

// Piece number i of n (a power of two) lies at place (i * odd) mod n, every second one: the rest is nobody's.
constexpr u64 odd = 0x9e3779b1;

constexpr u64 inverse()
{
	u64 x = odd;
	for (int i = 0; i < 6; i++)
		x *= 2 - odd * x;
	return x;
}
static_assert(odd * inverse() == 1);

u64 pieces(const Backing &b) { return b.size >> b.piece_shift; }
u64 piece_mask(const Backing &b) { return (u64{1} << b.piece_shift) - 1; }

} // namespace

FakeMemory::~FakeMemory()
{
	for (FakeMm *mm : mms_) {
		for (FakePin *pin : mm->pins)
			tcewin_run_free(pin);
		mm->~FakeMm();
		tcewin_run_free(mm);
	}
}

FakeMm *FakeMemory::new_mm()
{
	auto *mm = ::new (tcewin_run_alloc(sizeof(FakeMm))) FakeMm;
	mms_.push(mm);
	return mm;
}

void FakeMemory::back(FakeMm *mm, u64 start, u64 size, u32 piece_shift)
{
	const u64 slot = u64{2} << piece_shift;
	next_real_ = (next_real_ + slot - 1) & ~(slot - 1);
	mm->backings.push({start, size, next_real_, piece_shift});
	next_real_ += 2 * size;
}

std::optional<u64> FakeMemory::real_of(const FakeMm *mm, u64 address) const
{
	for (const Backing &b : mm->backings) {
		const u64 offset = address - b.start;
		if (address < b.start || offset >= b.size)
			continue;
		const u64 place = (offset >> b.piece_shift) * odd & (pieces(b) - 1);
		return b.real + (2 * place << b.piece_shift) + (offset & piece_mask(b));
	}
	return std::nullopt;
}

std::optional<Owner> FakeMemory::owner_of(u64 real) const
{
	for (FakeMm *mm : mms_)
		for (const Backing &b : mm->backings) {
			const u64 offset = real - b.real;
			if (real < b.real || offset >= 2 * b.size)
				continue;
			if (offset >> b.piece_shift & 1)
				return std::nullopt;
			const u64 place = offset >> b.piece_shift >> 1;
			const u64 piece = place * inverse() & (pieces(b) - 1);
			const u64 within = offset & piece_mask(b);
			return Owner{mm, b.start + (piece << b.piece_shift) + within, piece_mask(b) + 1 - within};
		}
	return std::nullopt;
}

FakePin *FakeMemory::pin_at(const FakeMm *mm, u64 address)
{
	const u64 behind = mm->pins.partition([=](const FakePin *p) { return p->address <= address; });
	if (!behind)
		return nullptr;
	FakePin *pin = mm->pins[behind - 1];
	return address - pin->address < pin->size ? pin : nullptr;
}

bool FakeMemory::pinned(u64 real, u64 size) const
{
	while (size) {
		const auto owner = owner_of(real);
		const FakePin *pin = owner ? pin_at(owner->mm, owner->address) : nullptr;
		if (!pin)
			return false;
		const u64 left = pin->address + pin->size - owner->address;
		u64 n = owner->size < left ? owner->size : left;
		n = n < size ? n : size;
		real += n;
		size -= n;
	}
	return true;
}

void FakeMemory::made_writable(u64 real, u64 size)
{
	while (size) {
		const Owner o = *owner_of(real);
		const u64 n = o.size < size ? o.size : size;
		o.mm->writable.add(o.address, o.address + n);
		real += n;
		size -= n;
	}
}

void FakeMemory::was_writable(u64 real, u64 size)
{
	for (u64 n; size; real += n, size -= n) {
		const auto o = owner_of(real);
		n = o && o->size < size ? o->size : size;
		if (o)
			o->mm->dirty.remove(o->address, o->address + n);
	}
}

int FakeMemory::pin(FakeMm *mm, u64 address, u64 size, FakePin **pin)
{
	const u64 mask = (u64{1} << page_shift) - 1;
	if (!size || (address | size) & mask || address + size < address) {
		complaints_.add("pin of what no mmap can be", address, size);
		return TCEWIN_FAULT;
	}
	u64 at = mm->pins.partition([=](const FakePin *p) { return p->address + p->size <= address; });
	if (at < mm->pins.size() && mm->pins[at]->address < address + size) {
		if (mm->pins[at]->address != address || mm->pins[at]->size != size)
			return TCEWIN_OVERLAP;
		mm->pins[at]->users++;
		*pin = mm->pins[at];
		return TCEWIN_OK;
	}
	if (size > mm->limit || mm->locked > mm->limit - size)
		return TCEWIN_NO_MEMORY;
	for (u64 done = 0; done < size;) {
		const auto real = real_of(mm, address + done);
		if (!real)
			return TCEWIN_FAULT;
		done += owner_of(*real)->size;
	}
	auto *made = static_cast<FakePin *>(tcewin_run_alloc(sizeof(FakePin)));
	*made = {mm, address, size, 1};
	mm->pins.insert(at, made);
	mm->locked += size;
	*pin = made;
	return TCEWIN_OK;
}

bool FakeMemory::unpin(FakeMm *mm, FakePin *pin)
{
	const u64 at = mm->pins.partition([=](const FakePin *p) { return p->address < pin->address; });
	if (at == mm->pins.size() || mm->pins[at] != pin) {
		complaints_.add("unpin of what is not pinned", pin->address, pin->size);
		return false;
	}
	if (--pin->users)
		return false;
	const u64 start = pin->address, end = start + pin->size;
	if (!mm->writable.within(start, end, mm->dirty))
		complaints_.add("unpinned what a device could write without making it dirty", start, end);
	mm->writable.remove(start, end);
	mm->dirty.remove(start, end);
	if (pin->accounted)
		mm->locked -= pin->size;
	mm->pins.erase(at);
	tcewin_run_free(pin);
	return true;
}

bool FakeMemory::unpin_kept()
{
	bool any = false;
	for (u64 i = kept_.size(); i-- > 0;) {
		FakePin *pin = kept_[i];
		if (busy(pin))
			continue;
		kept_.erase(i);
		any |= unpin(pin->mm, pin);
	}
	return any;
}

int FakeMemory::pin_page(FakeMm *mm, u64 address, u64 *real)
{
	const u64 size = u64{1} << page_shift, page = address & ~(size - 1);
	const auto at_real = real_of(mm, address);
	if (!at_real)
		return TCEWIN_FAULT;
	*real = *at_real;
	if (FakePin *pin = pin_at(mm, page)) {
		pin->users++;
		return TCEWIN_OK;
	}
	auto *made = static_cast<FakePin *>(tcewin_run_alloc(sizeof(FakePin)));
	*made = {mm, page, size, 1, false};
	mm->pins.insert(mm->pins.partition([=](const FakePin *p) { return p->address < page; }), made);
	return TCEWIN_OK;
}

bool FakeMemory::unpin_page(u64 real)
{
	const auto owner = owner_of(real);
	FakePin *pin = owner ? pin_at(owner->mm, owner->address) : nullptr;
	if (!pin || pin->accounted) {
		complaints_.add("unpin of a page that no MAP has pinned", real);
		return false;
	}
	return unpin(owner->mm, pin);
}

u32 FakeMemory::extents(const FakePin *pin, u64 address, u64 size, std::span<tcewin_extent> out) const
{
	const u64 page = u64{1} << page_shift;
	if (address < pin->address || address - pin->address >= pin->size ||
	    pin->size - (address - pin->address) < size)
		return 0;
	u32 count = 0;
	for (u64 at = 0; at < size; at += page) {
		const u64 bytes = page < size - at ? page : size - at;
		const u64 real = *real_of(pin->mm, address + at) >> page_shift << page_shift;
		if (count && out[count - 1].real + out[count - 1].bytes == real) {
			out[count - 1].bytes += bytes;
			continue;
		}
		if (count == out.size())
			break;
		out[count++] = {real, bytes};
	}
	return count;
}

void FakeMemory::dirty(u64 real, u64 size, Precision precision)
{
	if (!pinned(real, size)) {
		complaints_.add("made dirty what is not pinned", real, size);
		return;
	}
	while (size) {
		const Owner o = *owner_of(real);
		const u64 n = o.size < size ? o.size : size;
		if (precision == Precision::exact && !o.mm->writable.contains(o.address, o.address + n))
			complaints_.add("made dirty what no device could write", o.address, n);
		o.mm->dirty.add(o.address, o.address + n);
		real += n;
		size -= n;
	}
}

int FakeMemory::charge(FakeMm *mm, u64 bytes)
{
	if (bytes > mm->limit || mm->locked > mm->limit - bytes)
		return TCEWIN_NO_MEMORY;
	charge_anyway(mm, bytes);
	return TCEWIN_OK;
}

void FakeMemory::charge_anyway(FakeMm *mm, u64 bytes)
{
	mm->locked += bytes;
	mm->charged += bytes;
}

void FakeMemory::uncharge(FakeMm *mm, u64 bytes)
{
	if (bytes > mm->charged) {
		complaints_.add("uncharged more than was charged", bytes, mm->charged);
		bytes = mm->charged;
	}
	mm->locked -= bytes;
	mm->charged -= bytes;
}

void FakeMemory::finish()
{
	for (const FakeMm *mm : mms_) {
		if (!mm->pins.empty())
			complaints_.add("still pinned at the end", mm->pins[0]->address, mm->pins.size());
		if (mm->charged)
			complaints_.add("still charged at the end", mm->charged);
	}
}

} // namespace tcewin::test
