// SPDX-License-Identifier: GPL-2.0-only
// The fake host itself: it sees what no real machine tells, so it is made to see each of it once.
#include "fake_host.hh"

#include "random.hh"
#include "rig.hh"

using namespace tcewin::test;

namespace
{

struct Machine {
	explicit Machine(Test &test) : t{test}, host{test.host()}
	{
		host.complaints.only_count();
		mm = host.memory.new_mm();
		host.memory.back(mm, scattered, mib, 12);
		pe = host.firmware.new_pe(Personality::qemu());
		host.firmware.reset(pe);
		liobn = pe->info.default_liobn;
		u32 to_file = 0;
		EXPECT_EQ(tcewin_host_pin(mm, scattered, 512 * kib, &pin, &to_file), TCEWIN_OK);
		tcewin_extent first;
		EXPECT_EQ(tcewin_host_pin_extents(pin, scattered, 4 * kib, &first, 1), 1);
		real = first.real;
	}
	~Machine()
	{
		host.stuck_is_expected = true;
		host.complaints.take();
	}
	Test &t;
	FakeHost &host;
	FakeMm *mm;
	FakePe *pe;
	u32 liobn;
	void *pin{};
	u64 real{};
};

void bad_hypercalls(Test &t)
{
	Machine m{t};
	Complaints &c = m.host.complaints;
	EXPECT_EQ(tcewin_host_put_tce(m.liobn, 0, m.real | 3), 0);
	EXPECT_EQ(c.take(), 0);
	EXPECT(tcewin_host_put_tce(m.liobn, 0x40000000, 0) != 0);
	EXPECT_EQ(c.take(), 1);
	EXPECT(tcewin_host_stuff_tce(m.liobn, 0x40000000 - 4 * kib, 0, 2) != 0);
	EXPECT_EQ(c.take(), 1);
	EXPECT(tcewin_host_stuff_tce(m.liobn, 0, 0, 513) != 0);
	EXPECT_EQ(c.take(), 1);
	EXPECT(tcewin_host_put_tce(m.liobn, 1, 0) != 0);
	EXPECT_EQ(c.take(), 1);
	EXPECT(tcewin_host_put_tce(m.liobn + 1, 0, 0) != 0);
	EXPECT_EQ(c.take(), 1);
	const Box<u64[512]> box;
	EXPECT(tcewin_host_put_tce_indirect(m.liobn, 0, reinterpret_cast<u64>(&*box), 1) != 0);
	EXPECT(c.take() != 0);
}

void bad_words(Test &t)
{
	Machine m{t};
	Complaints &c = m.host.complaints;
	for (u64 word : {m.real, m.real | 4, m.real | 0x803, u64{3}, m.real + 4 * kib + 3, u64{0x1003}}) {
		Note at{t, "word", word};
		tcewin_host_put_tce(m.liobn, 0, word);
		EXPECT_EQ(c.take(), 1);
	}
	tcewin_host_put_tce(m.liobn, 0, m.real | 3);
	EXPECT_EQ(c.take(), 0);
	// and dirty memory is forgotten, and the device still reaches it
	tcewin_host_unpin(m.mm, m.pin);
	EXPECT_EQ(c.take(), 2);
}

// Made dirty while the device could still write.
void dirty_too_early(Test &t)
{
	Machine m{t};
	for (bool early : {false, true}) {
		void *pin = nullptr;
		u32 to_file = 0;
		EXPECT_EQ(tcewin_host_pin(m.mm, scattered + 512 * kib, 4 * kib, &pin, &to_file), TCEWIN_OK);
		const u64 real = *m.host.memory.real_of(m.mm, scattered + 512 * kib);
		const tcewin_piece page{0, real};
		tcewin_host_put_tce(m.liobn, 0, real | 3);
		if (early)
			tcewin_host_dirty(&page, 1, 0, 4 * kib);
		tcewin_host_put_tce(m.liobn, 0, 0);
		if (!early)
			tcewin_host_dirty(&page, 1, 0, 4 * kib);
		tcewin_host_unpin(m.mm, pin);
		EXPECT_EQ(m.host.complaints.take(), early);
	}
}

void bad_locks(Test &t)
{
	Machine m{t};
	Complaints &c = m.host.complaints;
	tcewin_host_lock *outer = tcewin_host_lock_new(TCEWIN_LOCK_CONTAINER),
			 *inner = tcewin_host_lock_new(TCEWIN_LOCK_WINDOW);
	tcewin_host_lock_shared(outer);
	tcewin_host_lock_exclusive(inner);
	EXPECT_EQ(c.take(), 0);
	m.host.locks.wants(outer);
	EXPECT_EQ(c.take(), 2);
	m.host.locks.gives_back(inner, Hold::shared);
	EXPECT_EQ(c.take(), 1);
	m.host.settled();
	EXPECT_EQ(c.take(), 2 + 1); // and the window that the kernel was not told of
	tcewin_host_unlock_exclusive(inner);
	tcewin_host_unlock_shared(outer);
	tcewin_host_lock_free(outer);
	tcewin_host_lock_free(inner);
	EXPECT_EQ(c.take(), 0);
}

void leaks(Test &t)
{
	Machine m{t};
	Complaints &c = m.host.complaints;
	void *memory = tcewin_host_alloc(100);
	EXPECT_EQ(tcewin_host_charge(m.mm, 100), TCEWIN_OK);
	m.host.finish();
	EXPECT_EQ(c.take(), 4); // the window, the pin, the charge, the memory
	tcewin_host_free(memory);
	tcewin_host_free(memory);
	EXPECT_EQ(c.take(), 1);
	tcewin_host_uncharge(m.mm, 101);
	EXPECT_EQ(c.take(), 1);
}

// Real memory and back, for pieces of every kind.
void memory(Test &t)
{
	Rig rig{t};
	FakeMemory &m = t.host().memory;
	Random random{1};
	for (u64 base : {scattered, huge, block})
		for (unsigned i = 0; i < 1000; i++) {
			const u64 address = base + random.below(8 * mib);
			const u64 real = *m.real_of(rig.mm, address);
			const Owner o = *m.owner_of(real);
			ASSERT_EQ(o.address, address);
			EXPECT_EQ(*m.real_of(rig.mm, address + o.size - 1), real + o.size - 1);
			EXPECT(!m.owner_of(real + o.size));
		}
}

void ranges(Test &t)
{
	RangeSet set;
	bool oracle[256]{};
	Random random{2};
	for (unsigned i = 0; i < t.rounds(2000); i++) {
		const u64 start = random.below(200), end = start + 1 + random.below(50);
		const bool add = random.one_in(2);
		add ? set.add(start, end) : set.remove(start, end);
		u64 total = 0;
		for (u64 n = 0; n < 256; n++) {
			if (n >= start && n < end)
				oracle[n] = add;
			ASSERT_EQ(set.contains(n), oracle[n]);
			total += oracle[n];
		}
		ASSERT_EQ(set.total(), total);
	}
}

void hash(Test &t)
{
	Hash<u64> h;
	const Box<u64[512]> box;
	u64(&oracle)[512] = *box;
	Random random{3};
	for (unsigned i = 0; i < t.rounds(4000); i++) {
		const u64 n = random.below(512), key = n << (n % 40);
		if (random.one_in(3)) {
			h.erase(key);
			for (u64 j = 0; j < 512; j++)
				if (j << (j % 40) == key)
					oracle[j] = 0;
		} else {
			h.put(key, i + 1);
			for (u64 j = 0; j < 512; j++)
				if (j << (j % 40) == key)
					oracle[j] = i + 1;
		}
		const u64 probe = random.below(512);
		const u64 *found = h.find(probe << (probe % 40));
		ASSERT_EQ(found ? *found : 0, oracle[probe]);
	}
}

constexpr tcewin_case cases[] = {
	CASE(bad_hypercalls), CASE(bad_words), CASE(dirty_too_early), CASE(bad_locks),
	CASE(leaks),	      CASE(memory),    CASE(ranges),	      CASE(hash),
};

} // namespace

TCEWIN_SUITE(fake, cases);
