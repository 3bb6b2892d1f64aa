// SPDX-License-Identifier: GPL-2.0-only
// Windows of a PE that is in no container (vfio=N), for somebody else to fill: which one is made, that it is empty and
// goes whatever is in it, and what becomes of the PE when hypervisor and firmware refuse.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 page = 64 * kib, size = 16 * gib;

// PE number 0 without a container, and memory for its windows, pinned as long as anything can lead there.
class Lender
{
public:
	explicit Lender(Test &t, const Personality &p = Personality::powervm()) : rig{t, {.personality = p}}
	{
		EXPECT_EQ(rig.detach(0), TCEWIN_OK);
		EXPECT_EQ(rig.host.memory.pin(rig.mm, block, mib, &pin_), TCEWIN_OK);
	}
	Lender(const Lender &) = delete;
	~Lender()
	{
		if (tcewin_pe_owner(rig.pe[0]) == TCEWIN_OWNER_QUARANTINED)
			return;
		rig.host.memory.unpin(rig.mm, pin_);
		rig.host.firmware.check_reach("reaches memory that is not pinned");
	}
	// engine.h's verbs; the glue has a lock of its own around them.
	int open(u32 page_shift, u64 bytes, u32 levels = 1)
	{
		rig.fake[0]->in_hand_over = true;
		const int status = tcewin_pe_open_window(rig.pe[0], page_shift, bytes, levels, &window);
		return done(status);
	}
	int close(const tcewin_window_info &w)
	{
		rig.fake[0]->in_hand_over = true;
		return done(tcewin_pe_close_window(rig.pe[0], &w));
	}
	// The window's user maps two pages of it, and tells nobody.
	void fill()
	{
		Test &t = rig.t;
		const u64 word = *rig.host.memory.real_of(rig.mm, block) | TCEWIN_READ;
		for (u64 i : {0, 700})
			EXPECT_EQ(rig.host.firmware.put(window.liobn, window.start + (i << window.page_shift), word),
				  0);
	}
	FakePe &fake() { return *rig.fake[0]; }
	Injector &injector() { return rig.host.injector; }

	Rig rig;
	tcewin_window_info window{}; // that was opened last

private:
	FakePin *pin_{};
	int done(int status)
	{
		rig.fake[0]->in_hand_over = false;
		rig.host.settled();
		return status;
	}
};

// The default window if that is what is wanted and nobody has it; else a DDW.
void which_window(Test &t)
{
	Lender l{t};
	ASSERT_EQ(l.open(12, mib), TCEWIN_OK);
	const tcewin_window_info low = l.window;
	EXPECT_EQ(low.start, l.rig.personality().default_start);
	EXPECT_EQ(low.size, mib);
	EXPECT_EQ(low.is_default, 1);
	ASSERT_EQ(l.open(12, mib), TCEWIN_OK);
	const tcewin_window_info high = l.window;
	EXPECT_EQ(high.start, l.rig.personality().ddw_start);
	EXPECT_EQ(high.is_default, 0);
	EXPECT_EQ(l.open(16, size), TCEWIN_NO_SLOT);
	EXPECT_EQ(l.close(low), TCEWIN_OK);
	EXPECT_EQ(l.fake().tables.size(), 1);
	EXPECT_EQ(l.close(low), TCEWIN_UNKNOWN_WINDOW);
	ASSERT_EQ(l.open(16, size, 0), TCEWIN_OK); // as QEMU asks
	EXPECT_EQ(l.close(high), TCEWIN_OK);
	EXPECT_EQ(l.close(l.window), TCEWIN_OK);
	EXPECT_EQ(l.fake().tables.size(), 0); // a spare could show what was in it
}

void bad_requests(Test &t)
{
	Lender l{t};
	EXPECT_EQ(l.open(13, size), TCEWIN_BAD_PAGE_SHIFT);
	EXPECT_EQ(l.open(16, size + page), TCEWIN_BAD_SIZE);
	EXPECT_EQ(l.open(16, size, 6), TCEWIN_BAD_LEVELS);
	EXPECT_EQ(l.close({}), TCEWIN_UNKNOWN_WINDOW);
	EXPECT(l.rig.idle(0));
}

// Only who owns the PE can lend a window of it.
void of_the_kernel(Test &t)
{
	Lender l{t};
	EXPECT_EQ(l.rig.release(0), TCEWIN_OK);
	EXPECT_EQ(l.open(16, size), TCEWIN_QUARANTINED);
	EXPECT_EQ(l.open(12, mib), TCEWIN_QUARANTINED);
	EXPECT(l.fake().kernels);
	EXPECT_EQ(l.rig.take(0), TCEWIN_OK);
	EXPECT_EQ(l.open(16, size), TCEWIN_OK);
	EXPECT_EQ(l.close(l.window), TCEWIN_OK);
}

// What a window's user leaves in it goes with it, and nobody finds it in a later one.
void left_full(Test &t, const Personality &p)
{
	Lender l{t, p};
	for (int round = 0; round < 2; round++) {
		ASSERT_EQ(l.open(12, p.default_size), TCEWIN_OK);
		l.fill();
		EXPECT_EQ(l.close(l.window), TCEWIN_OK);
		EXPECT_EQ(l.rig.valid(), 0);
		ASSERT_EQ(l.open(16, size), TCEWIN_OK);
		EXPECT_EQ(l.rig.valid(), 0);
		l.fill();
		EXPECT_EQ(l.close(l.window), TCEWIN_OK);
		EXPECT_EQ(l.fake().tables.size(), 0);
	}
}

void left_full_on_powervm(Test &t) { left_full(t, Personality::powervm()); }
void left_full_on_vf(Test &t) { left_full(t, Personality::powervm_vf()); }

// Firmware does not let the window go: it is emptied, though its user is being killed, and goes with the next call.
void not_removed(Test &t)
{
	Lender l{t};
	for (int round = 0; round < 4; round++) {
		Note at{t, "round", static_cast<u64>(round)};
		ASSERT_EQ(l.open(16, size), TCEWIN_OK);
		l.fill();
		l.injector().arm(Point::remove, {.at = 1});
		l.injector().arm(Point::yield, {.at = 1, .onwards = true});
		EXPECT_EQ(l.close(l.window), TCEWIN_OK);
		l.injector().disarm();
		EXPECT_EQ(l.rig.valid(), 0);
		EXPECT_EQ(tcewin_pe_owner(l.rig.pe[0]), TCEWIN_OWNER_USER);
	}
	ASSERT_EQ(l.open(16, size), TCEWIN_OK);
	EXPECT_EQ(l.close(l.window), TCEWIN_OK);
	EXPECT_EQ(l.fake().tables.size(), 0);
}

// Nor can it be emptied: the device reaches what it holds, so nobody gets the PE.
void neither_removed_nor_emptied(Test &t)
{
	Lender l{t};
	ASSERT_EQ(l.open(16, size), TCEWIN_OK);
	l.fill();
	l.rig.host.stuck_is_expected = true;
	l.injector().arm(Point::remove, {.at = 1, .onwards = true});
	l.injector().arm(Point::any_hcall, {.at = 1, .onwards = true});
	EXPECT_EQ(l.close(l.window), TCEWIN_STUCK);
	EXPECT_EQ(tcewin_pe_owner(l.rig.pe[0]), TCEWIN_OWNER_QUARANTINED);
	EXPECT_EQ(l.rig.host.events[TCEWIN_EVENT_STUCK], 1);
	l.injector().disarm();
	EXPECT_EQ(l.open(12, mib), TCEWIN_QUARANTINED);
	EXPECT_EQ(l.rig.release(0), TCEWIN_QUARANTINED);
	EXPECT(l.rig.reach(l.window.start, false));
	EXPECT(!l.fake().kernels);
}

// Tables in our memory are nobody else's to fill.
void not_on_powernv(Test &t)
{
	Lender l{t, Personality::ioda2()};
	EXPECT_EQ(l.open(16, size), TCEWIN_NO_DDW);
	EXPECT_EQ(l.close({}), TCEWIN_UNKNOWN_WINDOW);
	EXPECT(l.rig.idle(0));
}

constexpr tcewin_case cases[] = {
	CASE(which_window),
	CASE(bad_requests),
	CASE(of_the_kernel),
	CASE(left_full_on_powervm),
	CASE(left_full_on_vf),
	CASE(not_removed),
	CASE(neither_removed_nor_emptied),
	CASE_ON_IODA2(not_on_powernv),
};

} // namespace

TCEWIN_SUITE(lent, cases);
