// SPDX-License-Identifier: GPL-2.0-only
// Regions: extents of memory in pieces of all kinds, TCEs from them, and the set of a container's regions.
#include "region.hh"

#include "fake_host.hh"
#include "random.hh"
#include "rig.hh"

using namespace tcewin;
using tcewin::test::block;
using tcewin::test::FakeHost;
using tcewin::test::FakeMm;
using tcewin::test::huge;
using tcewin::test::kib;
using tcewin::test::mib;
using tcewin::test::Note;
using tcewin::test::Point;
using tcewin::test::Random;
using tcewin::test::scattered;
using tcewin::test::Test;

namespace
{

// Its first half in pages of 2 MiB, and none of the rest is contiguous.
constexpr u64 mixed = 0x40'0000'0000, mixed_size = 8 * mib;

struct Memory {
	explicit Memory(Test &t, u32 page_shift = 12) : host{t.host()}, mm{host.memory.new_mm()}
	{
		host.memory.page_shift = page_shift;
		host.memory.back(mm, scattered, mib, page_shift);
		host.memory.back(mm, huge, 8 * mib, 21);
		host.memory.back(mm, block, 8 * mib, 23);
		host.memory.back(mm, mixed, mixed_size / 2, 21);
		host.memory.back(mm, mixed + mixed_size / 2, mixed_size / 2, page_shift);
	}
	u64 real(u64 address) const { return host.memory.real_of(mm, address).value_or(0); }
	FakeHost &host;
	FakeMm *mm;
};

void extents(Test &t)
{
	Memory m{t};
	const struct {
		u64 start, size;
		std::size_t extents;
	} expected[] = {{scattered, 4 * kib, 1},
			{scattered, 64 * kib, 16},
			{scattered, mib, 0},
			{mixed, 8 * mib, 0},
			{mixed, 4 * mib + 32 * kib, 10},
			{huge, 8 * mib, 4},
			{huge + mib + 4 * kib, 2 * mib, 2},
			{block, 8 * mib, 1},
			{block + 4 * kib, 3 * mib, 1}};
	for (const auto &e : expected) {
		Note at{t, "start", e.start};
		auto r = Region::create(m.mm, UserVa{e.start}, Bytes{e.size});
		ASSERT(r.has_value());
		EXPECT_EQ((*r)->extents(), e.extents);
		EXPECT(!(*r)->mapped());
	}
}

// Memory in pieces of 32 pages is worth to be kept, and in pieces of 16 it is not.
void kept_where_they_pay(Test &t)
{
	Memory m{t};
	constexpr u64 worth = u64{1} << 44, worthless = u64{1} << 45;
	m.host.memory.back(m.mm, worth, 8 * mib, 17);
	m.host.memory.back(m.mm, worthless, 8 * mib, 16);
	const u64 before = m.host.heap.bytes();
	auto a = Region::create(m.mm, UserVa{worth}, Bytes{8 * mib});
	ASSERT(a.has_value());
	EXPECT_EQ((*a)->extents(), 64);
	const u64 one = m.host.heap.bytes();
	EXPECT(one - before <= sizeof(Region) + 64 * 16);
	auto b = Region::create(m.mm, UserVa{worthless}, Bytes{8 * mib});
	ASSERT(b.has_value());
	EXPECT_EQ((*b)->extents(), 0);
	EXPECT(m.host.heap.bytes() - one <= sizeof(Region));
}

// check() and fill() of every part, against every host page.
void parts(Test &t, u32 host_shift)
{
	Memory m{t, host_shift};
	Random random{host_shift};
	Tce words[64];
	const struct {
		u64 base, size;
	} regions[] = {{scattered, mib},
		       {scattered, 64 * kib},
		       {huge, 8 * mib},
		       {block, 8 * mib},
		       {mixed, 8 * mib},
		       {mixed + 64 * kib, 8 * mib - 128 * kib},
		       {mixed + 2 * mib, 2 * mib + 64 * kib},
		       {mixed + 3 * mib, mib + 256 * kib}};
	for (const auto [base, size] : regions) {
		Note at{t, "base", base};
		auto made = Region::create(m.mm, UserVa{base}, Bytes{size});
		ASSERT(made.has_value());
		const Region &r = **made;
		for (unsigned round = 0; round < t.rounds(3000); round++) {
			const PageShift page = *PageShift::from(12 + static_cast<u32>(random.below(10)));
			const u64 bytes = page.size().raw(), most = size / bytes < 64 ? size / bytes : 64;
			if (!most)
				continue;
			const u64 n = random.small(most), from = base + random.below(size / bytes - n + 1) * bytes;
			bool fit = true;
			for (u64 at = from; at < from + n * bytes; at += 4 * kib) {
				const u64 in_page = (at - from) % bytes;
				fit &= m.real(at) == m.real(at - in_page) + in_page &&
				       m.real(at - in_page) % bytes == 0;
			}
			const auto checked = r.check(UserVa{from}, page.bytes(TceCount{n}), page);
			ASSERT_EQ(checked.has_value(), fit);
			if (!fit)
				continue;
			r.fill(UserVa{from}, page, Access::write, {words, n});
			for (u64 i = 0; i < n; i++)
				ASSERT_EQ(words[i].word(), m.real(from + i * bytes) | TCEWIN_WRITE);
		}
	}
}

void parts_of_4k_host(Test &t) { parts(t, 12); }
void parts_of_64k_host(Test &t) { parts(t, 16); }

void dirty(Test &t)
{
	Memory m{t};
	auto r = Region::create(m.mm, UserVa{scattered}, Bytes{mib});
	ASSERT(r.has_value());
	for (u64 at = 8 * kib; at < 40 * kib; at += 4 * kib)
		m.host.memory.made_writable(m.real(scattered + at), 4 * kib);
	(*r)->dirty(UserVa{scattered + 8 * kib}, Bytes{32 * kib});
	EXPECT(m.mm->dirty.contains(scattered + 8 * kib, scattered + 40 * kib));
	EXPECT_EQ(m.mm->dirty.total(), 32 * kib);
}

// Of a region whose extents are not kept, by pages smaller than the host's, in more pieces than are asked for at once.
void dirty_by_the_list(Test &t)
{
	for (const u64 size : {4 * kib, 64 * kib, 2 * mib + 8 * kib}) {
		Note of{t, "size", size};
		{
			Memory m{t, 16};
			auto r = Region::create(m.mm, UserVa{mixed}, Bytes{mixed_size});
			ASSERT(r.has_value());
			EXPECT_EQ((*r)->extents(), 0);
			const u64 from = mixed + mixed_size / 2 - mib + 68 * kib;
			for (u64 at = from; at < from + size; at += 4 * kib)
				m.host.memory.made_writable(m.real(at), 4 * kib);
			(*r)->dirty(UserVa{from}, Bytes{size});
			EXPECT(m.mm->dirty.contains(from, from + size));
			EXPECT_EQ(m.mm->dirty.total(), size);
		}
		t.fresh_host();
	}
}

// Memory of no file is dirty before it is unpinned, and no sooner; unless no device could write it.
void dirty_when_let_go(Test &t)
{
	Memory m{t};
	m.host.memory.to_file = false;
	for (const Access access : {Access::read, Access::write}) {
		auto r = Region::create(m.mm, UserVa{scattered}, Bytes{mib});
		ASSERT(r.has_value());
		(*r)->add_mapped(TceCount{2});
		if (access == Access::write)
			m.host.memory.made_writable(m.real(scattered + 8 * kib), 4 * kib);
		(*r)->drop_mapped(UserVa{scattered + 8 * kib}, page_4k, TceCount{2}, access);
		EXPECT(!(*r)->mapped());
		EXPECT_EQ(m.mm->dirty.total(), 0);
		ASSERT((*r)->let_go().has_value()); // the host complains of what is unpinned clean
	}
}

// A long look for extents gives way to a signal, and leaves nothing.
void interrupted(Test &t)
{
	Memory m{t};
	m.host.memory.back(m.mm, u64{1} << 44, 32 * mib, 25);
	for (u64 k = 1;; k++) {
		m.host.injector.arm(Point::yield, {.at = k});
		auto r = Region::create(m.mm, UserVa{u64{1} << 44}, Bytes{32 * mib});
		if (r)
			break;
		EXPECT_EQ(r.error(), TCEWIN_INTERRUPTED);
		EXPECT_EQ(m.mm->pins.size(), 0);
		EXPECT_EQ(m.host.heap.count(), 0);
	}
	EXPECT(m.host.injector.calls(Point::yield) > 2);
}

// add, remove and find against a list.
void set(Test &t)
{
	Memory m{t};
	tcewin::Lock lock{tcewin_host_lock_new(TCEWIN_LOCK_CONTAINER)};
	RegionSet s;
	bool taken[256]{};
	const tcewin::test::Box<u64[256]> box;
	u64(&length)[256] = *box; // of the region that begins at this page
	Random random{5};
	EXPECT(!s.ever_used());
	for (unsigned round = 0; round < t.rounds(5000) && !t.failed(); round++) {
		const u64 first = random.below(256), n = random.small(256 - first > 32 ? 32 : 256 - first);
		if (random.one_in(2)) {
			bool free = true;
			for (u64 i = first; i < first + n; i++)
				free &= !taken[i];
			const UserVa from{scattered + first * 4 * kib};
			auto r = s.check(from, Bytes{n * 4 * kib});
			if (r) {
				auto region = Region::create(m.mm, from, Bytes{n * 4 * kib});
				ASSERT(region.has_value());
				const tcewin::Exclusive hold{lock};
				r = s.add(hold, *region);
			}
			ASSERT_EQ(r.has_value(), free);
			if (!free)
				EXPECT_EQ(r.error(), length[first] == n ? TCEWIN_ALREADY_REGISTERED : TCEWIN_OVERLAP);
			for (u64 i = first; free && i < first + n; i++)
				taken[i] = true;
			if (free)
				length[first] = n;
		} else {
			const u64 size = length[first] && !random.one_in(4) ? length[first] : n;
			const tcewin::Exclusive hold{lock};
			const auto r = s.remove(hold, UserVa{scattered + first * 4 * kib}, Bytes{size * 4 * kib});
			ASSERT_EQ(r.has_value(), length[first] == size);
			for (u64 i = first; r && i < first + size; i++)
				taken[i] = false;
			if (r)
				length[first] = 0;
		}
		const u64 probe = random.below(256);
		const Region *found = s.find(UserVa{scattered + probe * 4 * kib + random.below(4096)});
		ASSERT_EQ(found != nullptr, taken[probe]);
		if (found)
			EXPECT(found->start().raw() <= scattered + probe * 4 * kib &&
			       found->end().raw() > scattered + probe * 4 * kib);
	}
	EXPECT(s.ever_used());
}

constexpr tcewin_case cases[] = {
	CASE(extents),		 CASE(kept_where_they_pay), CASE(parts_of_4k_host),
	CASE(parts_of_64k_host), CASE(dirty_by_the_list),   CASE(dirty),
	CASE(dirty_when_let_go), CASE(interrupted),	    CASE(set),
};

} // namespace

TCEWIN_SUITE(region, cases);
