// SPDX-License-Identifier: GPL-2.0-only
// Tables in our own memory: their shapes against a search of all shapes, their entries against flat arrays as a PHB
// walks them, and what they cost.
#include "level_tree.hh"

#include <atomic>
#include <bit>

#include "fake_host.hh"
#include "fake_phb.hh"
#include "random.hh"
#include "rig.hh"

using namespace tcewin;
namespace test = tcewin::test;
using tcewin::test::FakeMm;
using tcewin::test::FakePhb;
using tcewin::test::gib;
using tcewin::test::Hash;
using tcewin::test::kib;
using tcewin::test::mib;
using tcewin::test::Note;
using tcewin::test::Point;
using tcewin::test::Random;
using tcewin::test::Test;
using tcewin::test::tib;

namespace
{

constexpr u64 start = u64{1} << 59;

WindowGeometry window(u64 size, u32 page_shift) { return {Ioba{start}, Bytes{size}, *PageShift::from(page_shift)}; }
TceRange range(u64 first, u64 count) { return {TceIndex{first}, TceCount{count}}; }

struct Form {
	u64 size;
	u32 page_shift, asked, host_shift;
	u32 levels; // 0: BAD_LEVELS
	u64 level_bytes;
};

constexpr Form forms[] = {
	{1 * gib, 12, 1, 12, 2, 4 * kib},
	{1 * tib, 16, 1, 12, 2, 32 * kib},
	{64 * tib, 21, 1, 12, 2, 64 * kib},
	{64 * tib, 16, 1, 12, 3, 8 * kib},
	{64 * tib, 12, 1, 12, 3, 32 * kib},
	{4 * kib, 12, 1, 12, 1, 4 * kib},
	{16 * gib, 34, 1, 12, 1, 4 * kib},
	{32 * mib, 12, 1, 12, 1, 64 * kib},
	{32 * mib + 4 * kib, 12, 1, 12, 2, 4 * kib},
	// what is asked for is the least
	{1 * gib, 12, 0, 12, 2, 4 * kib},
	{1 * gib, 12, 4, 12, 4, 4 * kib},
	{4 * kib, 12, 3, 12, 3, 4 * kib},
	{1 * gib, 12, 5, 12, 0, 0}, // 57 bits
	{4 * kib, 12, 6, 12, 0, 0},
	{4 * kib, 12, ~0U, 12, 0, 0},
	// a host of 64 KiB pages
	{4 * kib, 12, 1, 16, 1, 64 * kib},
	{1 * gib, 12, 1, 16, 2, 64 * kib},
	{64 * tib, 12, 1, 16, 3, 64 * kib},
	{1 * tib, 16, 1, 16, 2, 64 * kib},
	{64 * tib, 21, 1, 16, 2, 64 * kib},
	{64 * tib, 16, 1, 16, 2, 256 * kib},
	{64 * tib, 16, 3, 16, 0, 0}, // 55 bits
	{128 * tib, 16, 1, 16, 0, 0},
	{1 * gib, 12, 4, 16, 0, 0},
};

void shapes(Test &t)
{
	for (u64 i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const Form &f = forms[i];
		Note at{t, "form", i};
		const auto s = LevelTree::shape(window(f.size, f.page_shift), f.asked, *PageShift::from(f.host_shift));
		ASSERT_EQ(s.has_value(), f.levels != 0);
		if (!s) {
			EXPECT_EQ(s.error(), TCEWIN_BAD_LEVELS);
			continue;
		}
		EXPECT_EQ(s->levels, f.levels);
		EXPECT_EQ(u64{8} << s->shift, f.level_bytes);
	}
}

struct Limits {
	u32 bits, page_shift, host_shift;
	bool allow(u32 levels, u32 shift, u32 largest) const
	{
		return shift * levels >= bits && shift + 3 >= host_shift && shift + 3 <= largest &&
		       shift * levels + page_shift < 55;
	}
};

// The fewest levels that are allowed, and of these the smallest; larger than 64 KiB and the host's page only where
// nothing else is, and then not beyond four pages.
LevelTree::Shape search(const Limits &limits, u32 asked)
{
	const u32 usual = limits.host_shift > 16 ? limits.host_shift : 16;
	for (u32 largest : {usual, limits.host_shift + 2})
		for (u32 levels = asked; levels <= 5; levels++)
			for (u32 shift = 0; shift < 55; shift++)
				if (limits.allow(levels, shift, largest))
					return {levels, shift};
	return {0, 0};
}

// Every power of two of entries, and one more and less than each.
void shapes_against_search(Test &t)
{
	for (u32 host_shift : {12U, 16U, 18U})
		for (u32 page_shift : {12U, 16U, 21U, 24U, 28U, 34U})
			for (u32 bits = 0; bits + page_shift < 60; bits++)
				for (u32 asked = 1; asked <= 6; asked++)
					for (int more = -1; more <= 1; more++) {
						const u64 entries = (u64{1} << bits) + more;
						if (!entries)
							continue;
						const Limits limits{static_cast<u32>(std::bit_width(entries - 1)),
								    page_shift, host_shift};
						const auto want = search(limits, asked);
						const auto s =
							LevelTree::shape(window(entries << page_shift, page_shift),
									 asked, *PageShift::from(host_shift));
						Note at{t, "bits", bits};
						Note host{t, "host page shift", host_shift};
						ASSERT_EQ(s ? s->levels : 0, want.levels);
						ASSERT_EQ(s ? s->shift : 0, want.shift);
					}
}

struct Kind {
	u64 size;
	u32 page_shift, asked, host_shift;
};

constexpr Kind kinds[] = {
	{64 * mib - 20 * kib, 12, 1, 12}, // ends within a leaf
	{8 * mib, 12, 1, 12},		  // one level
	{64 * mib, 12, 3, 12},
	{1 * tib, 12, 4, 12},
	{64 * tib, 16, 1, 12},
	{64 * tib, 21, 1, 16},
	{64 * tib, 16, 1, 16},
};

// A tree, a PHB that was told of it, and what is known about the tree without asking it.
class Bench
{
public:
	Bench(Test &test, const Kind &kind) : t{test}, geometry{window(kind.size, kind.page_shift)}
	{
		t.host().memory.page_shift = kind.host_shift;
		mm = t.host().memory.new_mm();
		auto made = LevelTree::create(mm, geometry, kind.asked);
		EXPECT(made.has_value());
		if (made)
			tree = std::move(*made);
	}
	~Bench()
	{
		tree.reset();
		EXPECT_EQ(mm->charged, 0);
		EXPECT_EQ(t.host().levels.count(), 0);
	}

	u64 entries() const { return geometry.entries().raw(); }
	u64 leaf() const { return u64{1} << tree->shape().shift; }
	FakePhb phb() const
	{
		const LevelTree::Shape s = tree->shape();
		return {t.host().complaints,
			t.host().levels,
			{tcewin_host_real_address(tree->root()), s.levels, u64{8} << s.shift,
			 geometry.page_shift.raw()}};
	}
	// Another for each entry, and another each time, in both halves of the word.
	static Tce word(u64 i, u64 round = 0)
	{
		const u64 real = (round & 15) << 46 | (i + 1) << 16 | (round & 15) << 12;
		return Tce{HostPhys{real}, i % 3 ? Access::both : Access::read};
	}
	void put(u64 first, u64 count, u64 round = 0)
	{
		Tce words[64];
		for (u64 n; count; first += n, count -= n) {
			n = count < 64 ? count : 64;
			for (u64 i = 0; i < n; i++)
				words[i] = word(first + i, round);
			tree->put(TceIndex{first}, std::span{words, n});
		}
	}
	Result<> reserve(u64 first, u64 count)
	{
		const auto r = tree->reserve(range(first, count));
		if (r)
			needs(first, count);
		return r;
	}
	// What [first, first + count) needs has been reserved.
	void needs(u64 first, u64 count)
	{
		const LevelTree::Shape s = tree->shape();
		for (u64 l = first >> s.shift; l <= (first + count - 1) >> s.shift; l++)
			for (u32 above = 0; above + 1 < s.levels; above++)
				levels.put(u64{above} << 56 | l >> (above * s.shift), 1);
	}
	// No level but those that hold what was reserved, each charged.
	void expect_cost()
	{
		const u64 bytes = (levels.size() + 1) << (tree->shape().shift + 3);
		EXPECT_EQ(t.host().levels.bytes(), bytes);
		EXPECT_EQ(mm->charged, bytes);
	}

	Test &t;
	WindowGeometry geometry;
	FakeMm *mm;
	Owned<LevelTree> tree;
	Hash<u64> levels; // below the root
};

// Eight pieces of a table, each around a border between levels where the table is larger than all of them, and a flat
// array of what is in them.
class Islands
{
public:
	static constexpr u64 count = 8, length = 2048;
	explicit Islands(Bench &bench) : t{bench.t}, b{bench}, phb{bench.phb()} {}

	u64 base(u64 island) const
	{
		const u64 last = b.entries() - size();
		const u64 border = island * std::bit_floor(b.entries() / count);
		if (island == count - 1 || border > last)
			return last;
		return border > length / 2 ? border - length / 2 : 0;
	}
	u64 size() const { return b.entries() < length ? b.entries() : length; }
	void step(Random &random)
	{
		const u64 island = random.below(count), at = random.below(size());
		const u64 n = random.one_in(8) ? size() - at : random.small(size() - at > 600 ? 600 : size() - at);
		const u64 first = base(island) + at;
		switch (random.below(4)) {
		case 0:
			b.tree->clear(range(first, n));
			set(first, n, 0);
			break;
		case 1:
			EXPECT(b.reserve(first, n).has_value());
			break;
		default:
			EXPECT(b.reserve(first, n).has_value());
			b.put(first, n, ++round);
			set(first, n, round);
		}
		b.expect_cost();
		const u64 from = first > 8 ? first - 8 : 0, to = first + n + 8;
		for (u64 i = from; i < to && i < b.entries(); i++)
			expect(i);
	}
	void expect(u64 i)
	{
		const u64 *at = there.find(i);
		if (phb.word(i) == (at ? Bench::word(i, *at).word() : 0))
			return;
		t.fail(__FILE__, __LINE__, test::Line{}.add("wrong word of entry ").hexadecimal(i));
	}
	void expect_all()
	{
		for (u64 island = 0; island < count; island++)
			for (u64 i = 0; i < size() && !t.failed(); i++)
				expect(base(island) + i);
	}

private:
	void set(u64 first, u64 n, u64 with)
	{
		for (u64 i = first; i < first + n; i++)
			with ? there.put(i, with) : there.erase(i);
	}

	Test &t;
	Bench &b;
	FakePhb phb;
	Hash<u64> there; // entry to the round that it is of
	u64 round{};
};

void against_array(Test &t)
{
	for (u64 k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && !t.failed(); k++) {
		Note at{t, "kind", k};
		{
			Bench b{t, kinds[k]};
			ASSERT(b.tree);
			Islands islands{b};
			Random random{k + 1};
			b.expect_cost();
			for (unsigned round = 0; round < t.rounds(600) && !t.failed(); round++) {
				islands.step(random);
				if (round % 32 == 31)
					islands.expect_all();
			}
			islands.expect_all();
		}
		t.fresh_host();
	}
}

// What lies behind the window's end in the last level, or behind a last entry that is reserved, stays empty.
void beyond_the_end(Test &t)
{
	Bench b{t, {20 * mib + 12 * kib, 12, 2, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	const u64 n = b.entries();
	ASSERT(b.reserve(0, n).has_value());
	b.put(0, n);
	b.expect_cost();
	ASSERT(phb.reach() > n);
	for (u64 i = 0; i < n; i++)
		ASSERT_EQ(phb.word(i), Bench::word(i).word());
	for (u64 i = n; i < phb.reach(); i++)
		ASSERT_EQ(phb.word(i), 0);
}

// What a device ends up at: start, permissions and offset in the page.
void access(Test &t)
{
	Bench b{t, {64 * tib, 21, 1, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	const u64 last = b.entries() - 1, offset = last << 21 | 0x12345;
	EXPECT(!phb.access(offset, false));
	ASSERT(b.reserve(last, 1).has_value());
	EXPECT(!phb.access(offset, false));
	const Tce tce[] = {Tce{HostPhys{0x40'0000'0000}, Access::read}};
	b.tree->put(TceIndex{last}, tce);
	EXPECT(phb.access(offset, false) == std::optional<u64>{0x40'0001'2345});
	EXPECT(!phb.access(offset, true));
	EXPECT(!phb.access(offset - (u64{1} << 21), false));
	b.tree->clear(b.geometry.all());
	EXPECT(!phb.access(offset, false));
	b.expect_cost();
}

// The window's size costs nothing, a reserved entry at most one level of each kind.
void empty_costs_its_root(Test &t)
{
	for (const Kind &kind : kinds) {
		{
			Bench b{t, kind};
			ASSERT(b.tree);
			b.expect_cost();
			b.tree->clear(range(0, b.entries() < mib ? b.entries() : mib));
			b.tree->clear(range(b.entries() - 1, 1));
			EXPECT_EQ(t.host().levels.count(), 1);
			EXPECT(b.reserve(b.entries() - 1, 1).has_value());
			b.expect_cost();
			EXPECT_EQ(t.host().levels.count(), b.tree->shape().levels);
			EXPECT(b.reserve(b.entries() - 1, 1).has_value());
			EXPECT_EQ(t.host().levels.count(), b.tree->shape().levels);
		}
		t.fresh_host();
	}
}

void create_fails(Test &t)
{
	const WindowGeometry g = window(1 * tib, 16);
	for (const Point p : {Point::charge, Point::level, Point::alloc}) {
		Note at{t, "point", static_cast<u64>(p)};
		FakeMm *mm = t.host().memory.new_mm();
		t.host().injector.arm(p, {.at = 1});
		const auto r = LevelTree::create(mm, g, 1);
		EXPECT_EQ(t.host().injector.hits(p), 1);
		EXPECT_EQ(to_status(r.transform([](const auto &) {})), TCEWIN_NO_MEMORY);
		EXPECT_EQ(mm->charged, 0);
		EXPECT_EQ(t.host().levels.count(), 0);
		EXPECT_EQ(t.host().heap.count(), 0);
		t.host().injector.disarm();
		EXPECT(LevelTree::create(mm, g, 1).has_value());
		EXPECT_EQ(mm->charged, 0);
		t.fresh_host();
	}
	FakeMm *mm = t.host().memory.new_mm();
	EXPECT_EQ(to_status(LevelTree::create(mm, g, 6).transform([](const auto &) {})), TCEWIN_BAD_LEVELS);
	EXPECT_EQ(t.host().injector.calls(Point::charge), 0);
}

// The k-th call at @p fails while [first, first + n) of a table with a neighbour is reserved. False when there are
// fewer.
bool reserve_fails(Test &t, Point p, u64 k)
{
	Bench b{t, {1 * tib, 12, 4, 12}};
	if (!b.tree)
		return false;
	const FakePhb phb = b.phb();
	const u64 leaf = b.leaf(), first = leaf * leaf - 2 * leaf + 5, n = 4 * leaf;
	EXPECT(b.reserve(first - 3 * leaf, 3 * leaf).has_value());
	b.put(first - 3 * leaf, 3 * leaf);
	const auto expect = [&](bool done) {
		for (u64 i = first - 4 * leaf; i < first + n + leaf; i++) {
			const bool valid = i >= first - 3 * leaf && i < (done ? first + n : first);
			if (!EXPECT_EQ(phb.word(i), valid ? Bench::word(i).word() : 0))
				return;
		}
	};
	t.host().injector.arm(p, {.at = k});
	const Result<> r = b.tree->reserve(range(first, n));
	const bool hit = t.host().injector.hits(p) != 0;
	t.host().injector.disarm();
	const int failure = p == Point::yield ? TCEWIN_INTERRUPTED : TCEWIN_NO_MEMORY;
	EXPECT_EQ(to_status(r), hit ? failure : TCEWIN_OK);
	EXPECT_EQ(b.mm->charged, t.host().levels.bytes());
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

// A user who fills a table of 64 TiB stops at his limit, whatever he had mapped works, and all comes back.
void limit(Test &t)
{
	Bench b{t, {64 * tib, 16, 1, 12}};
	ASSERT(b.tree);
	const FakePhb phb = b.phb();
	ASSERT(b.reserve(77, 1).has_value());
	b.put(77, 1);
	b.mm->limit = b.mm->locked + 1 * mib;
	EXPECT_EQ(to_status(b.tree->reserve(b.geometry.all())), TCEWIN_NO_MEMORY);
	EXPECT_EQ(b.mm->charged, b.mm->limit);
	EXPECT_EQ(t.host().levels.bytes(), b.mm->charged);
	EXPECT_EQ(phb.word(77), Bench::word(77).word());
	EXPECT_EQ(phb.word(78), 0);
	EXPECT_EQ(phb.word(b.entries() - 1), 0);
	b.mm->limit += 64 * kib;
	EXPECT(b.reserve(b.entries() - 1, 1).has_value());
}

struct Watched {
	Bench &b;
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
			w.b.tree->clear(range(first, n));
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
				known |= word == Bench::word(i, round).word();
			w.b.t.check(known, __FILE__, __LINE__, "a word that was put");
		}
	}
}

void watched_by_a_device(Test &t)
{
	Bench b{t, {64 * mib, 12, 3, 12}};
	ASSERT(b.tree);
	ASSERT(b.reserve(watched, watched_end - watched).has_value());
	Watched w{b, b.phb(), t.rounds(100000), false};
	tcewin_run_parallel(2, change_or_watch, &w);
}

constexpr tcewin_case cases[] = {
	CASE(shapes), CASE(shapes_against_search), CASE(against_array), CASE(beyond_the_end),
	CASE(access), CASE(empty_costs_its_root),  CASE(create_fails),	CASE(reserve_fails_anywhere),
	CASE(limit),  CASE(watched_by_a_device),
};

} // namespace

TCEWIN_SUITE(level_tree, cases);
