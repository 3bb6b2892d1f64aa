// SPDX-License-Identifier: GPL-2.0-only
// What work costs: memory in proportion to what is mapped, hypercalls in batches, clearing only where something is, the
// CPU given away between batches.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

// 64 TiB of 2 MiB pages with a few mappings.
void huge_window(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	const u64 allocations = rig.host.heap.count(), bytes = rig.host.heap.bytes(), charged = rig.mm->charged;
	ASSERT_EQ(rig.create(21, 64 * tib), TCEWIN_OK);
	EXPECT(rig.host.heap.bytes() - bytes <= 4 * kib);
	for (u64 i = 0; i < 64; i++)
		ASSERT_EQ(rig.map(rig.start + i * tib, huge, 2 * mib), TCEWIN_OK);
	for (u64 i = 0; i < 64; i++)
		rig.expect_mapped(rig.start + i * tib, huge, 2 * mib);
	EXPECT(rig.host.heap.count() - allocations <= 2 * 64 + 8);
	EXPECT(rig.host.heap.bytes() - bytes <= 64 * 256 + 8 * kib);
	EXPECT(rig.mm->charged > charged);
	const u64 calls = rig.calls(Point::any_hcall);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT(rig.calls(Point::any_hcall) - calls <= 64);
	EXPECT_EQ(rig.host.heap.count(), allocations);
	EXPECT_EQ(rig.mm->charged, charged);
}

// An empty window of 2^24 TCEs goes without a hypercall, another one being left.
void remove_empty(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	const u64 calls = rig.calls(Point::any_hcall);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::any_hcall), calls);
	// The last one is emptied as a whole, for it stays in the device's reach: 2^18 TCEs.
	EXPECT_EQ(rig.remove(0), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::any_hcall) - calls, 512);
	EXPECT(rig.idle(0));
}

// Neighbouring MAPs over neighbouring memory are one run.
void neighbours_are_one(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, scattered_size), TCEWIN_OK);
	const u64 allocations = rig.host.heap.count();
	for (u64 i = 0; i < 1024; i += 2)
		ASSERT_EQ(rig.map(i * 4 * kib, scattered + i * 4 * kib, 4 * kib), TCEWIN_OK);
	for (u64 i = 1; i < 1024; i += 2)
		ASSERT_EQ(rig.map(i * 4 * kib, scattered + i * 4 * kib, 4 * kib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, 4 * mib);
	EXPECT_EQ(rig.host.heap.count(), allocations + 2); // the run, and one that is kept for the next MAP
	const u64 calls = rig.calls(Point::any_hcall);
	EXPECT_EQ(rig.unmap(0, 4 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::any_hcall) - calls, 2);
}

// 512 TCEs a call, whatever lies behind them; single ones by H_PUT_TCE.
void batches(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 6 * mib), TCEWIN_OK);
	ASSERT_EQ(rig.add(scattered + 6 * mib, 2 * mib), TCEWIN_OK);
	u64 calls = rig.calls(Point::any_hcall), written = rig.host.firmware.tces_written;
	EXPECT_EQ(rig.map(4 * kib, scattered, 8 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::any_hcall) - calls, 4);
	EXPECT_EQ(rig.calls(Point::put_indirect), 4);
	EXPECT_EQ(rig.host.firmware.tces_written - written, 2048);
	calls = rig.calls(Point::any_hcall);
	written = rig.host.firmware.tces_written;
	EXPECT_EQ(rig.unmap(0, 16 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::any_hcall) - calls, 4);
	EXPECT_EQ(rig.host.firmware.tces_written - written, 2048);
	calls = rig.calls(Point::put);
	EXPECT_EQ(rig.map(0, scattered, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::put) - calls, 1);
}

// A firmware without the batched calls.
void one_by_one(Test &t)
{
	Personality p = Personality::qemu();
	p.batches = false;
	p.default_size = 4 * mib;
	Rig rig{t, {.personality = p}};
	const u64 put = rig.calls(Point::put);
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	rig.expect_mapped(0, scattered, mib);
	EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::put) - put, 512);
	EXPECT_EQ(rig.calls(Point::put_indirect) + rig.calls(Point::stuff), 0);
}

void yields(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm()}};
	ASSERT_EQ(rig.create(12, gib), TCEWIN_OK);
	ASSERT_EQ(rig.add(block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(rig.start, block, block_size), TCEWIN_OK);
	ASSERT_EQ(rig.unmap(rig.start, block_size), TCEWIN_OK);
	EXPECT(rig.host.firmware.most_without_yield <= 2); // the last of a call, and the first of the next
}

// One page that is mapped everywhere ends at the user's limit, and the call that reached it is undone.
void bookkeeping_is_charged(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.create(21, 64 * tib), TCEWIN_OK);
	ASSERT_EQ(rig.add(huge, 2 * mib), TCEWIN_OK);
	rig.mm->limit = rig.mm->locked + 16 * kib;
	u64 n = 0;
	int status;
	while ((status = rig.map(rig.start + n * 4 * mib, huge, 2 * mib)) == TCEWIN_OK && n < 16384)
		n++;
	EXPECT_EQ(status, TCEWIN_NO_MEMORY);
	EXPECT(n >= 16 && n <= 512);
	rig.expect_unmapped(rig.start + n * 4 * mib, 2 * mib);
	rig.expect_mapped(rig.start + (n - 1) * 4 * mib, huge, 2 * mib);
	// what is there can go all the same, even where that needs a run more for a while
	EXPECT_EQ(rig.unmap(rig.start, 2 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + n * 4 * mib, huge, 2 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(rig.start, 64 * tib), TCEWIN_OK);
	EXPECT_EQ(rig.drop(huge, 2 * mib), TCEWIN_OK);
}

// Who is at the limit can still unmap, also where a mapping is cut in two and there is more to remember than before.
void unmap_at_the_limit(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	rig.mm->limit = rig.mm->locked;
	for (u64 at : {u64{0}, 128 * kib, 256 * kib, mib - 64 * kib}) {
		EXPECT_EQ(rig.unmap(at, 64 * kib), TCEWIN_OK);
		rig.expect_unmapped(at, 64 * kib);
	}
	rig.expect_mapped(64 * kib, scattered + 64 * kib, 64 * kib);
	rig.expect_mapped(192 * kib, scattered + 192 * kib, 64 * kib);
	EXPECT(rig.mm->locked > rig.mm->limit);
	EXPECT_EQ(rig.unmap(0, mib), TCEWIN_OK);
	EXPECT(rig.mm->locked <= rig.mm->limit);
	EXPECT_EQ(rig.drop(scattered, mib), TCEWIN_OK);
}

// That is no way around the limit: who goes on cutting is refused in the end.
void cut_at_the_limit(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(huge, huge_size), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, huge, huge_size), TCEWIN_OK);
	rig.mm->limit = rig.mm->locked;
	u64 n = 0;
	int status;
	while ((status = rig.unmap((2 * n + 1) * 4 * kib, 4 * kib)) == TCEWIN_OK && n < 8000)
		n++;
	EXPECT_EQ(status, TCEWIN_NO_MEMORY);
	EXPECT_EQ(n, 4096);
	EXPECT_EQ(rig.unmap(0, huge_size), TCEWIN_OK);
	EXPECT(rig.mm->locked <= rig.mm->limit);
	EXPECT_EQ(rig.drop(huge, huge_size), TCEWIN_OK);
}

// What one UNMAP has given back another uses: the page for its words is all that it asks for.
void unmap_with_what_is_kept(Test &t)
{
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(0, scattered, mib), TCEWIN_OK);
	ASSERT_EQ(rig.map(2 * mib, scattered, 4 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.unmap(2 * mib, 4 * kib), TCEWIN_OK);
	const u64 calls = rig.calls(Point::alloc);
	EXPECT_EQ(rig.unmap(64 * kib, 64 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.calls(Point::alloc) - calls, 1);
	rig.expect_unmapped(64 * kib, 64 * kib);
	rig.expect_mapped(128 * kib, scattered + 128 * kib, mib - 128 * kib);
}

// Nothing that is done for each of many mappings is done for all of them at once.
void pauses(Test &t)
{
	constexpr u64 runs = 2048;
	Rig rig{t};
	ASSERT_EQ(rig.add(scattered, 4 * kib), TCEWIN_OK);
	for (u64 i = 0; i < runs; i++)
		ASSERT_EQ(rig.map(i * 8 * kib, scattered, 4 * kib), TCEWIN_OK);
	const u64 yields = rig.calls(Point::yield);
	EXPECT_EQ(rig.unmap(0, runs * 8 * kib), TCEWIN_OK);
	const u64 loops = rig.personality().in_memory() ? 2 : 1; // what is forgotten, and before that told to PHBs
	EXPECT(rig.calls(Point::yield) - yields >= runs - 1 + loops * (runs / 256));
}

// What firmware allocates for a DDW, 8 bytes a TCE, is the user's as well, once for each PE that has the window, and is
// asked for before firmware is. The default window is there for everybody and costs nothing.
void firmware_table_is_charged(Test &t)
{
	Rig rig{t, {.personality = Personality::powervm(), .pes = 2}};
	constexpr u64 cost = tib >> 16 << 3;
	const u64 before = rig.mm->charged;
	rig.mm->limit = rig.mm->locked + cost - 1;
	const u64 asked = rig.calls(Point::create);
	EXPECT_REFUSED(NO_MEMORY, rig.create(16, tib));
	EXPECT_EQ(rig.calls(Point::create), asked);
	rig.mm->limit = ~u64{0};
	ASSERT_EQ(rig.create(16, tib), TCEWIN_OK);
	const u64 with_one = rig.mm->charged;
	EXPECT(with_one >= before + cost && with_one < before + cost + kib);
	rig.mm->limit = rig.mm->locked + cost - 1;
	EXPECT_REFUSED(NO_MEMORY, rig.attach(1));
	rig.mm->limit = ~u64{0};
	ASSERT_EQ(rig.attach(1), TCEWIN_OK);
	EXPECT_EQ(rig.mm->charged, with_one + cost);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	EXPECT_EQ(rig.mm->charged, with_one);
	EXPECT_EQ(rig.remove(rig.start), TCEWIN_OK);
	EXPECT_EQ(rig.mm->charged, before);
}

constexpr tcewin_case cases[] = {
	CASE(huge_window),
	CASE(remove_empty),
	CASE(neighbours_are_one),
	CASE(batches),
	CASE(one_by_one),
	CASE(yields),
	CASE(bookkeeping_is_charged),
	CASE(firmware_table_is_charged),
	CASE_ON_BOTH(unmap_at_the_limit),
	CASE_ON_BOTH(cut_at_the_limit),
	CASE_ON_BOTH(unmap_with_what_is_kept),
	CASE_ON_BOTH(pauses),
};

} // namespace

TCEWIN_SUITE(sparse, cases);
