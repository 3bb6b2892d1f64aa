// SPDX-License-Identifier: GPL-2.0-only
// The writer on a backend that only notes its calls: order, joining, batches, and how far it says it got when one
// fails.
#include "table.hh"

#include "fake_host.hh"
#include "random.hh"

using namespace tcewin;
using tcewin::test::Box;
using tcewin::test::Point;
using tcewin::test::Random;
using tcewin::test::Test;

namespace
{

constexpr u64 entries = 128;

struct Recorder {
	static constexpr u64 batch = 8;
	static constexpr bool remembers = false;
	Result<> put(TceIndex first, std::span<const Tce> words)
	{
		return note(first, words.size(), [&](u64 i) { return words[i].word(); });
	}
	Result<> clear(TceIndex first, TceCount count)
	{
		return note(first, count.raw(), [](u64) { return 0; });
	}
	Result<> set(TceIndex, Tce) { return {}; }
	Result<> reserve(TceRange) { return {}; }
	void show(TceRange) {}
	void take_back(TceRange) {}
	void invalidate(TceRange) {}

	// Half of a call that fails is written.
	template <class Word>
	Result<> note(TceIndex first, u64 count, Word word)
	{
		calls++;
		too_large |= count > batch || !count;
		const bool fails = calls == failing;
		for (u64 i = 0; i < (fails ? count / 2 : count); i++)
			table[first.raw() + i] = word(i);
		return fails ? Result<>{fail(TCEWIN_FIRMWARE_ERROR)} : Result<>{};
	}
	u64 table[entries];
	u64 calls, failing;
	bool too_large;
};
static_assert(TableBackend<Recorder>);

struct Part {
	bool put;
	u64 first, count;
};

u64 word_of(u64 i) { return (i + 1) << 12 | 3; }

Result<> write(Writer<Recorder> &w, const Part *parts, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const TceRange range{TceIndex{parts[i].first}, TceCount{parts[i].count}};
		TRY(parts[i].put ? w.put(range,
					 [](TceIndex at, std::span<Tce> out) {
						 for (u64 k = 0; k < out.size(); k++)
							 out[k] = Tce{HostPhys{(at.raw() + k + 1) << 12}, Access::both};
					 })
				 : w.clear(range));
	}
	return w.flush();
}

// Calls that the parts need: neighbours of one kind go together.
u64 fewest_calls(const Part *parts, unsigned n)
{
	u64 calls = 0;
	for (unsigned i = 0; i < n;) {
		u64 together = parts[i].count;
		unsigned j = i + 1;
		for (;
		     j < n && parts[j].put == parts[i].put && parts[j].first == parts[j - 1].first + parts[j - 1].count;
		     j++)
			together += parts[j].count;
		calls += (together + Recorder::batch - 1) / Recorder::batch;
		i = j;
	}
	return calls;
}

void any_parts(Test &t)
{
	Random random{3};
	auto page = Batch::for_entries(TceCount{Recorder::batch});
	ASSERT(page.has_value());
	for (unsigned round = 0; round < t.rounds(3000) && !t.failed(); round++) {
		Part parts[6];
		unsigned n = 0;
		for (u64 at = random.below(10); n < 6 && at < entries - 24; n++) {
			parts[n] = {random.one_in(2), at, random.small(20)};
			at += parts[n].count + (random.one_in(2) ? 0 : random.below(5));
		}
		const Box<u64[entries]> box;
		u64(&expected)[entries] = *box;
		for (u64 i = 0; i < entries; i++)
			expected[i] = 0xdead;
		for (unsigned i = 0; i < n; i++)
			for (u64 k = 0; k < parts[i].count; k++)
				expected[parts[i].first + k] = parts[i].put ? word_of(parts[i].first + k) : 0;
		const u64 calls = fewest_calls(parts, n);
		for (u64 failing = 0; failing <= calls; failing++) {
			const Box<Recorder> recorder;
			Recorder &r = *recorder;
			r.failing = failing;
			for (u64 &word : r.table)
				word = 0xdead;
			Writer w{r, page->words(), TceIndex{parts[0].first}, Signals::heed};
			const auto result = write(w, parts, n);
			EXPECT(!r.too_large);
			EXPECT_EQ(result.has_value(), !failing);
			EXPECT_EQ(r.calls, failing ? failing : calls);
			for (u64 i = 0; i < entries; i++) {
				if (r.table[i] != 0xdead)
					EXPECT(r.table[i] == expected[i] && i < w.touched().raw());
				else if (!failing)
					EXPECT_EQ(expected[i], 0xdead);
			}
		}
	}
}

// A signal ends a user's call after the batch it comes in, unless that is the last, and is not heard in a rollback.
void signals(Test &t)
{
	auto page = Batch::for_entries(TceCount{Recorder::batch});
	ASSERT(page.has_value());
	const Part parts[] = {{true, 0, 32}};
	for (u64 k = 1; k <= 3; k++) {
		const Box<Recorder> recorder;
		Recorder &r = *recorder;
		t.host().injector.arm(Point::yield, {.at = k});
		Writer heeding{r, page->words(), TceIndex{0}, Signals::heed};
		const auto result = write(heeding, parts, 1);
		EXPECT(!result.has_value() && result.error() == TCEWIN_INTERRUPTED);
		EXPECT_EQ(r.calls, k);
		EXPECT_EQ(heeding.touched().raw(), 8 * k);
	}
	const Box<Recorder> recorder;
	Recorder &r = *recorder;
	t.host().injector.arm(Point::yield, {.at = 1, .onwards = true});
	Writer ignoring{r, page->words(), TceIndex{0}, Signals::ignore};
	EXPECT(write(ignoring, parts, 1).has_value());
	EXPECT_EQ(r.calls, 4);
}

constexpr tcewin_case cases[] = {CASE(any_parts), CASE(signals)};

} // namespace

TCEWIN_SUITE(writer, cases);
