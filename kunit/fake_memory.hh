// SPDX-License-Identifier: GPL-2.0-only
// The user's memory as the fake host has it: address spaces with ranges backed by pieces of real memory (scattered host
// pages, huge pages, one contiguous block), a limit on what may be locked, pins, and who may have written what. Nothing
// is stored per page.
#pragma once

#include <optional>
#include <span>

#include "complaints.hh"
#include "tcewin/engine.h"
#include "vector.hh"

namespace tcewin::test
{

struct FakeMm;

struct FakePin {
	FakeMm *mm;
	u64 address, size;
	unsigned users;
	bool accounted = true; // not what a v1 MAP pins
	u64 mapped = 0;	       // by KVM: what each of its entries counts
};

// User addresses [start, start + size) in 2^n pieces of 1 << piece_shift bytes. Real memory holds them in another order
// with a piece that is nobody's behind each, so that neither one TCE too far nor one too large goes unnoticed.
struct Backing {
	u64 start, size, real;
	u32 piece_shift;
};

struct FakeMm {
	u64 limit{~u64{0}}; // RLIMIT_MEMLOCK, bytes
	u64 locked{};	    // pinned and charged, bytes
	u64 charged{};	    // of these, charged for bookkeeping
	Vector<Backing> backings;
	Vector<FakePin *> pins; // in order of address
	RangeSet writable;	// user addresses that a device could write since they were pinned
	RangeSet dirty;		// user addresses that the engine has said a device may have written
};

// Where a real address is: contiguous from @address of @mm for @size bytes.
struct Owner {
	FakeMm *mm;
	u64 address, size;
};

class FakeMemory
{
public:
	explicit FakeMemory(Complaints &complaints) : complaints_{complaints} {}
	FakeMemory(const FakeMemory &) = delete;
	~FakeMemory();

	u32 page_shift{12}; // the host's
	bool to_file{true}; // what tcewin_host_pin() says of all memory
	bool scarce{};	    // a limit refuses what is half done: what did not take place may be made dirty

	FakeMm *new_mm();
	// Gives @mm memory at [start, start + size), @size a power of two of pieces.
	void back(FakeMm *mm, u64 start, u64 size, u32 piece_shift);

	// host.h's functions of the same names; unpin() only drops a user of the pin, true when it was the last.
	int pin(FakeMm *mm, u64 address, u64 size, FakePin **pin);
	bool unpin(FakeMm *mm, FakePin *pin);
	// KVM maps what the last user of @pin gives back: it stays for now.
	static bool busy(const FakePin *pin) { return pin->users == 1 && pin->mapped; }
	// A user of @pin has gone for good, and the pin is busy: it is unpinned by a later unpin_kept().
	void keep(FakePin *pin) { kept_.push(pin); }
	// As many as are not busy any more; true when one of them is not pinned any more.
	bool unpin_kept();
	// tcewin_host_pin_pages() and tcewin_host_unpin_page() for one page of the host; true when nothing pins it any
	// more.
	int pin_page(FakeMm *mm, u64 address, u64 *real);
	bool unpin_page(u64 real);
	u32 extents(const FakePin *pin, u64 address, u64 size, std::span<tcewin_extent> out) const;
	// After a failed call nobody knows how far a table was written, so that more may be made dirty than was
	// writable.
	enum class Precision { exact, rough };
	void dirty(u64 real, u64 size, Precision precision);
	int charge(FakeMm *mm, u64 bytes);
	static void charge_anyway(FakeMm *mm, u64 bytes);
	void uncharge(FakeMm *mm, u64 bytes);

	// Where user @address of @mm is, pinned or not.
	std::optional<u64> real_of(const FakeMm *mm, u64 address) const;
	std::optional<Owner> owner_of(u64 real) const;
	// What pins @address, or nullptr.
	static FakePin *pin_at(const FakeMm *mm, u64 address);
	// All of [real, real + size) is pinned user memory.
	bool pinned(u64 real, u64 size) const;
	// A device can write [real, real + size), which is pinned, from now on.
	void made_writable(u64 real, u64 size);
	// It could until now: that it was made dirty before does not count.
	void was_writable(u64 real, u64 size);

	// Nothing is pinned, nothing charged.
	void finish();

private:
	Complaints &complaints_;
	Vector<FakeMm *> mms_;
	Vector<FakePin *> kept_;
	u64 next_real_{u64{1} << 32};
};

} // namespace tcewin::test
