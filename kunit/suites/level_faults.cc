// SPDX-License-Identifier: GPL-2.0-only
// Tables in our own memory when there is no more of it, when a signal comes, and while a device reads them.
#include "level_tree.hh"

#include <atomic>

#include "level_bench.hh"
#include "random.hh"
#include "rig.hh"

using namespace tcewin;
using tcewin::test::entries_at;
using tcewin::test::FakeMm;
using tcewin::test::FakePhb;
using tcewin::test::kib;
using tcewin::test::level_window;
using tcewin::test::LevelBench;
using tcewin::test::mib;
using tcewin::test::Note;
using tcewin::test::Point;
using tcewin::test::Random;
using tcewin::test::Test;
using tcewin::test::tib;

namespace
{

void create_fails(Test &t)
{
	const WindowGeometry g = level_window(1 * tib, 16);
	for (const Point p : {Point::charge, Point::level, Point::alloc}) {
		Note at{t, "point", static_cast<u64>(p)};
		FakeMm *mm = t.host().memory.new_mm();
		t.host().injector.arm(p, {.at = 1});
		const auto r = LevelTree::create(mm, g, 1, LevelTree::Root::charged);
		EXPECT_EQ(t.host().injector.hits(p), 1);
		EXPECT_EQ(to_status(r.transform([](const auto &) {})), TCEWIN_NO_MEMORY);
		EXPECT_EQ(mm->charged, 0);
		EXPECT_EQ(t.host().levels.count(), 0);
		EXPECT_EQ(t.host().heap.count(), 0);
		t.host().injector.disarm();
		EXPECT(LevelTree::create(mm, g, 1, LevelTree::Root::charged).has_value());
		EXPECT_EQ(mm->charged, 0);
		t.fresh_host();
	}
	FakeMm *mm = t.host().memory.new_mm();
	EXPECT_EQ(to_status(LevelTree::create(mm, g, 6, LevelTree::Root::charged).transform([](const auto &) {})),
		  TCEWIN_BAD_LEVELS);
	EXPECT_EQ(t.host().injector.calls(Point::charge), 0);
}

// The k-th call at @p fails while [first, first + n) of a table with a neighbour is reserved. False when there are
// fewer.
bool reserve_fails(Test &t, Point p, u64 k)
{
	LevelBench b{t, {1 * tib, 12, 4, 12}};
	if (!b.tree)
		return false;
	const FakePhb phb = b.phb();
	const u64 leaf = b.leaf(), first = leaf * leaf - 2 * leaf + 5, n = 4 * leaf;
	EXPECT(b.reserve(first - 3 * leaf, 3 * leaf).has_value());
	b.put(first - 3 * leaf, 3 * leaf);
	const auto expect = [&](bool done) {
		for (u64 i = first - 4 * leaf; i < first + n + leaf; i++) {
			const bool valid = i >= first - 3 * leaf && i < (done ? first + n : first);
			if (!EXPECT_EQ(phb.word(i), valid ? LevelBench::word(i).word() : 0))
				return;
		}
	};
	const u64 levels = t.host().levels.count();
	t.host().injector.arm(p, {.at = k});
	const Result<> r = b.tree->reserve(entries_at(first, n));
	const bool hit = t.host().injector.hits(p) != 0;
	t.host().injector.disarm();
	const int failure = p == Point::yield ? TCEWIN_INTERRUPTED : TCEWIN_NO_MEMORY;
	EXPECT_EQ(to_status(r), hit ? failure : TCEWIN_OK);
	EXPECT_EQ(b.mm->charged, t.host().levels.bytes());
	EXPECT(!hit || t.host().levels.count() == levels);
	expect(false);
	EXPECT(b.reserve(first, n).has_value());
	b.expect_cost();
	b.put(first, n);
	expect(true);
	return hit;
}

void reserve_fails_anywhere(Test &t)
{
	// leaves and levels above them that a range of four leaves and a bit needs beside what is there
	const struct {
		Point p;
		u64 calls;
	} points[] = {{Point::charge, 5}, {Point::level, 5}, {Point::yield, 4}};
	for (const auto &[p, calls] : points) {
		Note point{t, "point", static_cast<u64>(p)};
		u64 k = 1;
		for (bool hit = true; hit && !t.failed(); k += hit) {
			Note at{t, "k", k};
			hit = reserve_fails(t, p, k);
			t.fresh_host();
		}
		EXPECT_EQ(k - 1, calls);
	}
}

// A user who fills a table of 64 TiB stops at his limit and has what he had before.
void limit(Test &t)
{
	LevelBench b{t, {64 * tib, 16, 1, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	ASSERT(b.reserve(77, 1).has_value());
	b.put(77, 1);
	b.mm->limit = b.mm->locked + 1 * mib;
	EXPECT_EQ(to_status(b.tree->reserve(b.geometry.all())), TCEWIN_NO_MEMORY);
	b.expect_cost();
	EXPECT_EQ(phb.word(77), LevelBench::word(77).word());
	EXPECT_EQ(phb.word(78), 0);
	EXPECT_EQ(phb.word(b.entries() - 1), 0);
	b.mm->limit += 64 * kib;
	EXPECT(b.reserve(b.entries() - 1, 1).has_value());
}

struct Watched {
	LevelBench &b;
	FakePhb phb;
	u64 rounds;
	std::atomic<bool> over;
};

// Few entries, so that a watcher often hits the one that is being written, on both sides of a leaf's border.
constexpr u64 watched = 512 - 3, watched_end = 512 + 3;

// Thread 0 changes entries all the time, all of them reserved, and each word that the other sees is one that was whole
// at some time.
void change_or_watch(void *context, unsigned thread)
{
	auto &w = *static_cast<Watched *>(context);
	Random random{thread + 1};
	for (u64 round = 0; !thread && round < w.rounds; round++) {
		const u64 first = watched + random.below(watched_end - watched);
		const u64 n = 1 + random.below(watched_end - first);
		if (random.one_in(4))
			w.b.tree->clear(entries_at(first, n));
		else
			w.b.put(first, n, round);
	}
	if (!thread)
		w.over = true;
	for (; !w.over; tcewin_run_relax()) {
		for (u64 i = watched; i < watched_end; i++) {
			const u64 word = w.phb.word(i);
			bool known = !word;
			for (u64 round = 0; round < 16; round++)
				known |= word == LevelBench::word(i, round).word();
			w.b.t.check(known, __FILE__, __LINE__, "a word that was put");
		}
	}
}

void watched_by_a_device(Test &t)
{
	LevelBench b{t, {64 * mib, 12, 3, 12}};
	ASSERT(b.tree);
	ASSERT(b.reserve(watched, watched_end - watched).has_value());
	Watched w{b, b.phb(), t.rounds(100000), false};
	tcewin_run_parallel(2, change_or_watch, &w);
}

constexpr tcewin_case cases[] = {CASE(create_fails), CASE(reserve_fails_anywhere), CASE(limit),
				 CASE(watched_by_a_device)};

} // namespace

TCEWIN_SUITE(level_faults, cases);
