// SPDX-License-Identifier: GPL-2.0-only
// The ledger against an array with one element a TCE.
#include "ledger.hh"

#include <cstring>
#include <new>

#include "fake_host.hh"
#include "random.hh"
#include "rig.hh"

using namespace tcewin;
namespace test = tcewin::test;
using tcewin::test::FakeHost;
using tcewin::test::FakeMm;
using tcewin::test::kib;
using tcewin::test::Note;
using tcewin::test::Random;
using tcewin::test::Test;

namespace
{

constexpr u64 entries = 256, memory = u64{1} << 40, region_pages = 128;

struct Entry {
	UserVa address;
	Region *region;
	Access access;
	bool operator==(const Entry &) const = default;
};

class Bench
{
public:
	explicit Bench(Test &test) : t{test}, mm{test.host().memory.new_mm()}
	{
		FakeHost &host = t.host();
		host.memory.back(mm, memory, 2 * region_pages * 4 * kib, 12);
		for (unsigned i = 0; i < 2; i++) {
			const UserVa start{memory + i * region_pages * 4 * kib};
			auto made = Region::create(mm, start, Bytes{region_pages * 4 * kib});
			EXPECT(made.has_value());
			regions[i] = made->release();
		}
		for (u64 at = 0; at < 2 * region_pages; at++)
			host.memory.made_writable(*host.memory.real_of(mm, memory + at * 4 * kib), 4 * kib);
	}
	~Bench()
	{
		erase(0, entries);
		EXPECT(ledger.empty());
		kept.keep(nullptr);
		EXPECT_EQ(mm->charged, 0);
		for (Region *r : regions) {
			EXPECT(!r->mapped());
			t.host().memory.dirty(*t.host().memory.real_of(mm, r->start().raw()), 4 * kib,
					      test::FakeMemory::Precision::rough);
			mm->dirty.add(r->start().raw(), r->end().raw());
			Owned<Region>{r}.reset();
		}
	}

	// Only a Window can make the proof; this bench has no table, so it forges one.
	static Settled settled(TceRange range)
	{
		static_assert(sizeof(range) == sizeof(Settled));
		alignas(Settled) std::byte proof[sizeof(Settled)];
		std::memcpy(proof, &range, sizeof(range));
		return std::move(*std::launder(reinterpret_cast<Settled *>(proof)));
	}

	void insert(u64 first, u64 count, unsigned region, u64 page, Access access)
	{
		erase(first, count);
		auto run = Run::create(mm);
		ASSERT(run.has_value());
		(*run)->range = {TceIndex{first}, TceCount{count}};
		(*run)->region = regions[region];
		(*run)->address = regions[region]->start() + Bytes{page * 4 * kib};
		(*run)->access = access;
		for (u64 i = 0; i < count; i++)
			oracle[first + i] = {(*run)->address + Bytes{i * 4 * kib}, regions[region], access};
		ledger.insert(std::move(*run));
	}

	void erase(u64 first, u64 count)
	{
		const TceRange range{TceIndex{first}, TceCount{count}};
		Owned<Run> spare;
		if (ledger.cut_by(range)) {
			auto made = Run::create(mm);
			ASSERT(made.has_value());
			spare = std::move(*made);
		}
		ledger.erase(settled(range), std::move(spare));
		for (u64 i = first; i < first + count; i++)
			oracle[i] = {};
	}

	// The same entries, in as few runs as there can be, each charged, and one more at most that is kept; and the
	// regions' counts.
	void compare()
	{
		u64 i = 0, runs = 0, mapped[2]{};
		for (const Run *r = ledger.at_or_after(TceIndex{0}); r; r = Ledger::next(r), runs++) {
			for (; i < r->range.first.raw(); i++)
				ASSERT(!oracle[i].region);
			for (; i < r->range.end().raw(); i++) {
				const Entry e{r->address_of(TceIndex{i}, page_4k), r->region, r->access};
				ASSERT(e == oracle[i]);
				mapped[r->region == regions[1]]++;
			}
		}
		for (; i < entries; i++)
			ASSERT(!oracle[i].region);
		u64 fewest = 0;
		for (i = 0; i < entries; i++)
			fewest += oracle[i].region && !(i && continues(oracle[i - 1], oracle[i]));
		EXPECT_EQ(runs, fewest);
		const u64 one = std::bit_ceil(sizeof(Run));
		EXPECT(mm->charged == runs * one || mm->charged == (runs + 1) * one);
		for (unsigned n = 0; n < 2; n++)
			EXPECT_EQ(regions[n]->mapped(), mapped[n] != 0);
	}

	void expect_lookup(u64 at)
	{
		u64 i = at;
		while (i < entries && !oracle[i].region)
			i++;
		const Run *r = ledger.at_or_after(TceIndex{at});
		ASSERT_EQ(r != nullptr, i < entries);
		if (r)
			EXPECT(r->range.end().raw() > at && r->range.first.raw() <= i);
	}

	void expect_cut(u64 first, u64 count)
	{
		const u64 end = first + count;
		bool cut = first && end < entries && oracle[first].region;
		for (u64 i = first; cut && i <= end; i++)
			cut = continues(oracle[i - 1], oracle[i]);
		EXPECT_EQ(ledger.cut_by({TceIndex{first}, TceCount{count}}), cut);
	}

	static bool continues(const Entry &a, const Entry &b)
	{
		return a.region && a.region == b.region && a.access == b.access &&
		       a.address + Bytes{4 * kib} == b.address;
	}

	Test &t;
	FakeMm *mm;
	Region *regions[2]{};
	KeptRun kept;
	Ledger ledger{page_4k, kept};
	using Entries = Entry[entries];
	const test::Box<Entries> memory_of_oracle;
	Entries &oracle = *memory_of_oracle;
};

void against_array(Test &t)
{
	for (u64 seed = 1; seed <= 4; seed++) {
		Note at{t, "seed", seed};
		Bench b{t};
		Random random{seed};
		for (unsigned round = 0; round < t.rounds(2000) && !t.failed(); round++) {
			const u64 first = random.below(entries),
				  count = random.small(entries - first > 60 ? 60 : entries - first);
			b.expect_cut(first, count);
			if (random.one_in(3)) {
				b.erase(first, count);
			} else {
				// half of them go on where another entry's memory is, so that runs join
				const auto region = static_cast<unsigned>(random.below(2));
				const u64 page = random.one_in(2) ? first % (region_pages - 60)
								  : random.below(region_pages - count);
				b.insert(first, count, region, page, random.one_in(4) ? Access::read : Access::both);
			}
			b.compare();
			b.expect_lookup(random.below(entries));
		}
	}
}

void joins(Test &t)
{
	Bench b{t};
	b.insert(10, 10, 0, 10, Access::both);
	b.insert(30, 10, 0, 30, Access::both);
	b.insert(20, 10, 0, 20, Access::both);
	b.compare();
	EXPECT(!Ledger::next(b.ledger.at_or_after(TceIndex{0})));
	// another permission, another region, other memory: no join
	b.insert(40, 1, 0, 40, Access::read);
	b.insert(41, 1, 1, 41, Access::read);
	b.insert(42, 1, 1, 43, Access::read);
	b.compare();
}

// What is mapped is counted and comes back dirty only where a device could write.
void dirty(Test &t)
{
	Bench b{t};
	b.insert(0, 8, 0, 0, Access::both);
	b.insert(8, 8, 0, 64, Access::read);
	b.erase(2, 10);
	EXPECT(b.mm->dirty.contains(memory + 8 * kib, memory + 32 * kib));
	EXPECT_EQ(b.mm->dirty.total(), 24 * kib);
	b.compare();
}

constexpr tcewin_case cases[] = {CASE(against_array), CASE(joins), CASE(dirty)};

} // namespace

TCEWIN_SUITE(ledger, cases);
