// SPDX-License-Identifier: GPL-2.0-only
// KVM comes while an ioctl has the window's lock: a put is left to userspace, a clear is done before it returns and
// stays done, whatever the ioctl writes afterwards, and the books are exact when the ioctl has returned.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 page = 4 * kib;

// A guest that clears entries the @at-th time that the engine lets others run, and tries to put one.
struct Guest {
	Guest(Rig &r, tcewin_host_table *table, u64 when, u64 start = 0)
		: rig{r}, table_{table}, start_{start}, at{when}
	{
		rig.host.meanwhile_context = this;
		rig.host.meanwhile = [](void *context) { static_cast<Guest *>(context)->come(); };
	}
	Guest(const Guest &) = delete;
	~Guest() { rig.host.meanwhile = nullptr; }
	void come()
	{
		Test &t = rig.t;
		if (++times != at || !rig.host.locks.holds(TCEWIN_LOCK_WINDOW))
			return;
		for (u64 i : entries) {
			EXPECT_EQ(rig.host.kvm.clear(table_, i), TCEWIN_OK);
			EXPECT(!rig.reach(start_ + i * page, false));
		}
		EXPECT_EQ(rig.host.kvm.put_page(table_, 3, scattered, rw), TCEWIN_BUSY);
		came = true;
	}
	static constexpr u64 entries[] = {0, 5, 700, 1030, 8191};
	Rig &rig;
	tcewin_host_table *table_;
	u64 start_, at, times{};
	bool came{};
};

// Entries of KVM's and of an ioctl's in the window.
void fill(Test &t, Rig &rig)
{
	ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 4 * mib), TCEWIN_OK);
	for (u64 i : {5, 700, 8191})
		ASSERT_EQ(rig.kvm_put(i, scattered + 6 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 3);
}

void beside(Test &t, int (*ioctl)(Rig &))
{
	for (u64 at = 1;; at++) {
		Note when{t, "when", at};
		bool came;
		{
			Rig rig{t};
			fill(t, rig);
			tcewin_host_table *table = rig.default_table();
			{
				Guest guest{rig, table, at};
				EXPECT_EQ(ioctl(rig), TCEWIN_OK);
				came = guest.came;
			}
			if (came) {
				for (u64 i : Guest::entries)
					rig.expect_unmapped(i * page, page);
				EXPECT_EQ(rig.host.kvm.counts(), 0);
			}
			EXPECT_EQ(rig.kvm_put(5, scattered + 6 * mib), TCEWIN_OK);
			rig.expect_mapped(5 * page, scattered + 6 * mib, page);
			EXPECT_EQ(rig.unmap(0, 64 * mib), TCEWIN_OK);
			EXPECT_EQ(rig.host.kvm.counts(), 0);
			EXPECT_EQ(rig.valid(), 0);
			EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
			EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
		}
		t.fresh_host();
		if (!came || t.failed()) {
			EXPECT(at > 1); // it came at all
			return;
		}
	}
}

void map(Test &t)
{
	beside(t, [](Rig &rig) { return rig.map(0, huge, 32 * mib); });
}
void unmap(Test &t)
{
	beside(t, [](Rig &rig) { return rig.unmap(8 * mib, 32 * mib) | rig.unmap(0, 8 * mib); });
}

// The MAP ends half way and puts back what was there: not what the guest has cleared meanwhile.
void undone(Test &t, Point point, int refused)
{
	for (u64 at = 1, k = 2; k < 20; at++, k++) {
		Note when{t, "when", at};
		{
			Rig rig{t};
			fill(t, rig);
			bool came;
			{
				Guest guest{rig, rig.default_table(), at};
				rig.host.injector.arm(point, {.at = k, .partial = 100});
				const int status = rig.map(0, huge, 32 * mib);
				rig.host.injector.disarm();
				EXPECT(status == refused || status == TCEWIN_OK);
				came = guest.came;
			}
			if (came) {
				for (u64 i : Guest::entries)
					rig.expect_unmapped(i * page, page);
				EXPECT_EQ(rig.host.kvm.counts(), 0);
			}
			EXPECT_EQ(rig.unmap(0, 64 * mib), TCEWIN_OK);
			EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
		}
		t.fresh_host();
	}
}

void undone_for_a_signal(Test &t) { undone(t, Point::yield, TCEWIN_INTERRUPTED); }

// Firmware refuses to remove the window while the guest clears: what comes back is what he has left. And when it does
// not refuse, there is nothing to write to.
void remove_refused(Test &t)
{
	bool ever = false;
	for (u64 at = 1; at < 6; at++) {
		Note when{t, "when", at};
		{
			Rig rig{t};
			FakeKvm &kvm = rig.host.kvm;
			ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
			ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
			ASSERT_EQ(rig.map(rig.start, scattered, 4 * mib), TCEWIN_OK);
			tcewin_host_table *table = nullptr;
			for (const FakeTable *each : rig.fake[0]->tables)
				if (each->start == rig.start)
					table = each->object;
			for (u64 i : {5, 700, 8191})
				ASSERT_EQ(kvm.put_page(table, i, scattered + 6 * mib, rw), TCEWIN_OK);
			bool came;
			{
				Guest guest{rig, table, at, rig.start};
				rig.host.injector.arm(Point::remove, {.at = 1});
				EXPECT_EQ(rig.remove(rig.start), TCEWIN_FIRMWARE_ERROR);
				rig.host.injector.disarm();
				came = guest.came;
			}
			ever |= came;
			rig.expect_mapped(rig.start + page, scattered + page, 4 * page);
			if (came)
				for (u64 i : Guest::entries)
					rig.expect_unmapped(rig.start + i * page, page);
			EXPECT_EQ(kvm.counts(), came ? 0 : 3);
			{
				Guest guest{rig, table, at, rig.start};
				EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
			}
			EXPECT_EQ(kvm.counts(), 0);
			EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
		}
		t.fresh_host();
	}
	EXPECT(ever);
}

// What KVM takes from an ioctl is followed before anybody asks whether memory is mapped, and whatever is in the way.
void followed_at_the_limit(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	rig.mm->limit = rig.mm->locked;
	for (u64 i = 0; i < 256; i += 3)
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
	for (u64 i = 0; i < 256; i++)
		i % 3 ? rig.expect_mapped(i * page, scattered + i * page, page) : rig.expect_unmapped(i * page, page);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	for (u64 i = 0; i < 256; i++)
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// And there is no memory either: then the ledger follows when there is.
void followed_without_memory(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	for (u64 i : {3, 9})
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
	rig.host.injector.arm(Point::alloc, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_STILL_MAPPED);
	rig.expect_unmapped(3 * page, page);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.unmap(0, 3 * page), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(4 * page, 5 * page), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(10 * page, mib), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// A guest clears two entries, whose marks are in different pages, while an ioctl has the lock; from then on there is no
// memory, neither for the ledger to follow nor to say that it has to.
struct Starving {
	Starving(Rig &r, tcewin_host_table *table) : rig{r}, table_{table}
	{
		rig.host.meanwhile_context = this;
		rig.host.meanwhile = [](void *context) { static_cast<Starving *>(context)->come(); };
	}
	Starving(const Starving &) = delete;
	~Starving()
	{
		rig.host.meanwhile = nullptr;
		rig.host.injector.disarm();
	}
	void come()
	{
		Test &t = rig.t;
		if (came || !rig.host.locks.holds(TCEWIN_LOCK_WINDOW))
			return;
		came = true;
		for (u64 i : entries)
			EXPECT_EQ(rig.host.kvm.clear(table_, i), TCEWIN_OK);
		rig.host.injector.arm(Point::alloc, {.at = 1, .onwards = true});
	}
	// There is memory again: nor does a MAP that is undone bring them back. And all is given back.
	void expect_gone()
	{
		Test &t = rig.t;
		rig.host.injector.disarm();
		for (u64 i : entries) {
			rig.expect_unmapped(i * page, page);
			rig.host.injector.arm(Point::yield, {.at = 4});
			EXPECT_EQ(rig.map((i - 1) * page, huge + (i - 1) * page, 16 * mib), TCEWIN_INTERRUPTED);
			rig.host.injector.disarm();
			rig.expect_unmapped(i * page, page);
			rig.expect_mapped((i - 1) * page, huge + (i - 1) * page, page);
			rig.expect_mapped((i + 1) * page, huge + (i + 1) * page, page);
		}
		EXPECT_EQ(rig.unmap(0, huge_size), TCEWIN_OK);
		EXPECT_EQ(rig.valid(), 0);
		EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	}
	static constexpr u64 entries[] = {5, 9000};
	Rig &rig;
	tcewin_host_table *table_;
	bool came{};
};

void starved(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, huge_size), TCEWIN_OK);
	Starving guest{rig, rig.default_table()};
	EXPECT_EQ(rig.unmap(48 * mib, 16 * mib), TCEWIN_OK);
	EXPECT(guest.came);
	// as long as there is none no ioctl maps what would have to be undone
	EXPECT_EQ(rig.map(0, huge, 4 * kib), TCEWIN_NO_MEMORY);
	guest.expect_gone();
}

// The table that he clears them in is about to go with its PE, and the marks are for the other PE's as well.
void starved_as_a_table_leaves(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, huge_size), TCEWIN_OK);
	Starving guest{rig, rig.default_table(1)};
	EXPECT_EQ(rig.detach(1), TCEWIN_OK);
	EXPECT(guest.came);
	guest.expect_gone();
}

// As long as it cannot follow, no new mapping comes in the way of what is to be followed, and one that ends does not
// leave a trace there.
void behind(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	for (u64 i : {3, 9, 255}) // the last is the run's end, which needs no memory
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
	// the MAP's own run and batch come first, what the ledger needs comes behind them
	rig.host.injector.arm(Point::alloc, {.at = 3, .onwards = true});
	EXPECT_EQ(rig.map(254 * page, block, 2 * page), TCEWIN_NO_MEMORY);
	for (u64 i : {3, 9, 255})
		rig.expect_unmapped(i * page, page);
	rig.host.injector.disarm();
	ASSERT_EQ(rig.map(9 * page, block, page), TCEWIN_OK);
	ASSERT_EQ(rig.map(255 * page, block + page, page), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(0, 3 * page), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, mib), TCEWIN_STILL_MAPPED);
	rig.expect_mapped(9 * page, block, page);
	rig.expect_mapped(255 * page, block + page, page);
	EXPECT_EQ(rig.kvm_put(255, 0), TCEWIN_OK);
	rig.expect_unmapped(255 * page, page);
	EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(block, mib), TCEWIN_OK);
}

// While the ledger is behind nobody knows what an UNMAP would have to put back: it goes on to its end, whoever is
// killed, and where firmware keeps it from that the window is stuck.
void behind_and_undone(Test &t, Point point, int expected)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, 16 * mib), TCEWIN_OK);
	for (u64 i : {3, 9})
		EXPECT_EQ(rig.kvm_put(i, 0), TCEWIN_OK);
	ASSERT_EQ(rig.kvm_put(11, scattered), TCEWIN_OK);
	// the UNMAP's own memory is the first, the ledger's comes behind it
	rig.host.injector.arm(Point::alloc, {.at = 2, .onwards = true});
	rig.host.injector.arm(point, {.at = 3});
	EXPECT_EQ(rig.unmap(0, 16 * mib), expected);
	EXPECT_EQ(rig.host.injector.hits(point), 1);
	rig.host.injector.disarm();
	if (expected == TCEWIN_OK) {
		EXPECT_EQ(rig.host.kvm.counts(), 0);
		EXPECT_EQ(rig.valid(), 0);
	} else {
		EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_STILL_MAPPED);
		EXPECT_EQ(rig.remove(0), TCEWIN_OK);
		rig.host.events[TCEWIN_EVENT_STUCK] = 0;
	}
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

void behind_and_killed(Test &t) { behind_and_undone(t, Point::yield, TCEWIN_OK); }
void behind_and_refused(Test &t) { behind_and_undone(t, Point::any_hcall, TCEWIN_STUCK); }

// A guest that never stops clearing does not keep an ioctl.
void without_end(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, 4 * mib), TCEWIN_OK);
	struct Guest {
		Rig &rig;
		tcewin_host_table *table;
		u64 times;
	} guest{rig, rig.default_table(), 0};
	rig.host.meanwhile_context = &guest;
	rig.host.meanwhile = [](void *context) {
		auto &g = *static_cast<struct Guest *>(context);
		if (g.rig.host.locks.holds(TCEWIN_LOCK_WINDOW) && ++g.times < 2000)
			for (u64 i = 0; i < 512; i++)
				(void)g.rig.host.kvm.clear(g.table, g.times % 8 * 8000 + i);
	};
	EXPECT_EQ(rig.unmap(0, 256 * mib), TCEWIN_OK);
	rig.host.meanwhile = nullptr;
	EXPECT(guest.times > 0 && guest.times < 1000);
	EXPECT_EQ(rig.unmap(0, 256 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(scattered, scattered_size), TCEWIN_OK);
}

// A page that KVM has put is put again beside an UNMAP of it: both are counted once.
void put_again(Test &t)
{
	Rig rig{t};
	FakeKvm &kvm = rig.host.kvm;
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	tcewin_host_table *table = rig.default_table();
	ASSERT_EQ(rig.kvm_put(7, scattered), TCEWIN_OK);
	ASSERT_EQ(kvm.ask(table, 7), TCEWIN_OK);
	ASSERT_EQ(kvm.exchange(table, 7, scattered, rw), TCEWIN_OK);
	EXPECT_EQ(kvm.counts(), 1); // the old one is paid already
	kvm.store(table, 7, scattered);
	EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
	EXPECT_EQ(kvm.counts(), 0);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

constexpr tcewin_case cases[] = {
	CASE_ON_BOTH(map),
	CASE_ON_BOTH(unmap),
	CASE_ON_BOTH(undone_for_a_signal),
	CASE(remove_refused),
	CASE_ON_BOTH(followed_at_the_limit),
	CASE_ON_BOTH(followed_without_memory),
	CASE_ON_BOTH(starved),
	CASE(starved_as_a_table_leaves),
	CASE_ON_BOTH(behind),
	CASE_ON_BOTH(behind_and_killed),
	CASE(behind_and_refused),
	CASE_ON_BOTH(without_end),
	CASE_ON_BOTH(put_again),
};

} // namespace

TCEWIN_SUITE(beside, cases);
