// SPDX-License-Identifier: GPL-2.0-only
// Threads on one container: each keeps its own range exact while others map beside it, over each other, make and remove
// windows, a second PE comes and goes, and KVM puts entries for a guest that knows nothing of all that. The fake host
// checks every store and every lock meanwhile.
#include "tcewin/engine.h"

#include "random.hh"
#include "rig.hh"

using namespace tcewin::test;

namespace
{

constexpr unsigned threads = 7;
constexpr u64 share = 16 * mib; // of the default window, for each thread
constexpr u64 memory = mib;	// of each thread

struct Crowd {
	Test &t;
	Rig &rig;
	unsigned rounds;
};

// What the device of the first PE reaches, asked beside others' stores.
std::optional<u64> reach(Rig &rig, u64 ioba)
{
	Entered in{rig.host};
	return rig.reach(ioba, true);
}

void own_range(const Crowd &c, unsigned me)
{
	Test &t = c.t;
	Random random{me};
	const u64 base = me * share, address = scattered + me * memory;
	for (unsigned i = 0; i < c.rounds && !t.failed(); i++) {
		EXPECT_EQ(tcewin_register_memory(c.rig.container, address, memory), TCEWIN_OK);
		const u64 pages = random.small(256), first = random.below(257 - pages),
			  at = base + random.below(2048) * 4 * kib;
		EXPECT_EQ(tcewin_map(c.rig.container, at, address + first * 4 * kib, pages * 4 * kib, rw), TCEWIN_OK);
		const u64 probe = random.below(pages) * 4 * kib;
		EXPECT(reach(c.rig, at + probe) ==
		       c.rig.host.memory.real_of(c.rig.mm, address + first * 4 * kib + probe));
		EXPECT_EQ(tcewin_unregister_memory(c.rig.container, address, memory), TCEWIN_STILL_MAPPED);
		EXPECT_EQ(tcewin_unmap(c.rig.container, base, share), TCEWIN_OK);
		EXPECT(!reach(c.rig, at + probe));
		EXPECT_EQ(tcewin_unregister_memory(c.rig.container, address, memory), TCEWIN_OK);
	}
}

void common_range(const Crowd &c, unsigned me)
{
	Test &t = c.t;
	Random random{me};
	for (unsigned i = 0; i < c.rounds && !t.failed(); i++) {
		const u64 at = threads * share + random.below(64) * 64 * kib, size = random.small(64) * 64 * kib;
		const u64 address = block + random.below(64) * 64 * kib;
		if (random.one_in(3))
			EXPECT_EQ(tcewin_unmap(c.rig.container, at, size), TCEWIN_OK);
		else
			EXPECT_EQ(tcewin_map(c.rig.container, at, address, size, rw), TCEWIN_OK);
	}
}

void windows(const Crowd &c)
{
	Test &t = c.t;
	for (unsigned i = 0; i < c.rounds && !t.failed(); i++) {
		u64 start = 0;
		EXPECT_EQ(tcewin_create_window(c.rig.container, 16, tib, 1, &start), TCEWIN_OK);
		EXPECT_EQ(tcewin_map(c.rig.container, start, block, 8 * mib, rw), TCEWIN_OK);
		EXPECT_EQ(tcewin_remove_window(c.rig.container, start), TCEWIN_OK);
	}
}

void guest(const Crowd &c)
{
	Test &t = c.t;
	for (unsigned i = 0; i < c.rounds / 4 && !t.failed(); i++) {
		EXPECT_EQ(tcewin_container_attach(c.rig.container, c.rig.pe[1]), TCEWIN_OK);
		tcewin_run_relax();
		EXPECT_EQ(tcewin_container_detach(c.rig.container, c.rig.pe[1]), TCEWIN_OK);
	}
}

// A table of the first PE, as KVM finds it: it holds it for as long as it likes. nullptr: there is none now.
tcewin_host_table *find_table(const Crowd &c, bool is_default)
{
	Entered in{c.rig.host};
	for (const FakeTable *table : c.rig.fake[0]->tables)
		if (table->object && (table->start == c.rig.personality().default_start) == is_default) {
			FakeKvm::hold(table->object);
			return table->object;
		}
	return nullptr;
}

// The default window, where nobody else maps, stays: what is put there is there. The other one may go at any time. Each
// put may come while an ioctl has the window, so this goes on beyond its rounds, and beyond the ioctls, until one was
// done.
void kvm(const Crowd &c)
{
	constexpr unsigned enough = 10000;
	Test &t = c.t;
	Random random{99};
	const u64 base = (threads + 4) * share >> 12;
	u64 put = 0;
	for (unsigned i = 0; (i < c.rounds || (!put && i < enough)) && !t.failed(); i++) {
		tcewin_host_table *const lasting = find_table(c, true), *const other = find_table(c, false);
		for (unsigned n = 0; n < 8; n++) {
			const u64 entry = base + random.below(64), address = block + random.below(64) * 4 * kib;
			// where an ioctl is at work on the window, userspace has to put it, but no clear is refused
			int status = TCEWIN_BUSY;
			for (unsigned tries = 0; tries < 100 && status == TCEWIN_BUSY; tries++) {
				status = c.rig.host.kvm.put_page(lasting, entry, address, rw);
				if (status == TCEWIN_BUSY)
					tcewin_run_relax();
			}
			EXPECT(status == TCEWIN_OK || status == TCEWIN_BUSY);
			put += status == TCEWIN_OK;
			if (status == TCEWIN_OK)
				EXPECT(reach(c.rig, entry << 12) == c.rig.host.memory.real_of(c.rig.mm, address));
			if (random.one_in(2)) {
				EXPECT_EQ(c.rig.host.kvm.clear(lasting, entry), TCEWIN_OK);
				EXPECT(!reach(c.rig, entry << 12));
			}
			if (other)
				(void)c.rig.host.kvm.put_page(other, random.below(512), block, rw);
		}
		Entered in{c.rig.host};
		FakeKvm::let_go(lasting);
		if (other)
			FakeKvm::let_go(other);
	}
	EXPECT(put > 0);
}

void body(void *context, unsigned me)
{
	const auto &c = *static_cast<const Crowd *>(context);
	if (me == 0)
		windows(c);
	else if (me == 1)
		guest(c);
	else if (me == 6)
		kvm(c);
	else if (me < 4)
		common_range(c, me);
	else
		own_range(c, me);
}

void crowd(Test &t)
{
	Rig rig{t, {.pes = 2}};
	ASSERT_EQ(rig.add(block, 64 * mib), TCEWIN_OK);
	Crowd c{t, rig, t.rounds(100)};
	tcewin_run_parallel(threads, body, &c);
	EXPECT_EQ(rig.unmap(0, 0x40000000), TCEWIN_OK);
	EXPECT_EQ(rig.host.kvm.counts(), 0);
	EXPECT_EQ(rig.valid(), 0);
	EXPECT_EQ(rig.drop(block, 64 * mib), TCEWIN_OK);
}

// Several times: what only the first newcomer to a window does happens once in each.
void all_at_once(Test &t)
{
	for (unsigned i = 0; i < 4 && !t.failed(); i++) {
		crowd(t);
		t.fresh_host();
	}
}

constexpr tcewin_case cases[] = {CASE_ON_BOTH(all_at_once)};

} // namespace

TCEWIN_SUITE(stress, cases);
