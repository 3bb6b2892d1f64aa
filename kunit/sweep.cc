// SPDX-License-Identifier: GPL-2.0-only
#include "sweep.hh"

namespace tcewin::test
{

namespace
{

// The words that each entry of each table may hold, from a run in which nothing failed: the first and the last.
class Allowed
{
public:
	void learn(Test &t, const Vector<Write> &history, u64 from)
	{
		for (u64 i = from; i < history.size(); i++) {
			const Write &w = history[i];
			if (Pair *p = words_.find(key(w)))
				p->last = w.after;
			else
				words_.put(key(w), {w.before, w.after});
		}
		check(t, history, from);
	}
	// Tables that were made in vain are not known here; the fake host looks after them.
	void check(Test &t, const Vector<Write> &history, u64 from) const
	{
		for (u64 i = from; i < history.size(); i++) {
			const Pair *p = words_.find(key(history[i]));
			const bool residue = p && FakeFirmware::is_residue(p->first) && !history[i].after;
			if (p && history[i].after != p->first && history[i].after != p->last && !residue)
				t.fail(__FILE__, __LINE__,
				       Line{}.add("neither old nor new: ").hexadecimal(history[i].after));
		}
	}

private:
	struct Pair {
		u64 first, last;
	};
	static u64 key(const Write &w) { return w.serial << 40 | w.index; }
	Hash<Pair> words_;
};

class Sweep
{
public:
	Sweep(Test &test, const Scenario &scenario) : t{test}, s{scenario} {}

	void run()
	{
		{
			Rig rig{t, s.setup};
			s.prepare(rig);
			const u64 from = rig.host.firmware.history.size();
			EXPECT_EQ(s.act(rig), TCEWIN_OK);
			allowed.learn(t, rig.host.firmware.history, from);
			after.emplace(rig);
			machine = rig.personality().platform;
		}
		t.fresh_host();
		for (Point p : {Point::alloc, Point::charge, Point::pin, Point::announce, Point::yield})
			fail_each(p, {.status = 0});
		// a signal that kills does not go away
		fail_each(Point::yield, {.onwards = true});
		machine == TCEWIN_IODA2 ? fail_tables() : fail_firmware();
	}

private:
	void fail_tables()
	{
		for (Point p : {Point::level, Point::table, Point::set_window, Point::link})
			fail_each(p, {.status = 0});
	}

	void fail_firmware()
	{
		for (Point p : {Point::query, Point::create, Point::remove, Point::reset})
			fail_each(p, {.status = -1});
		fail_each(Point::any_hcall, {.status = -1, .partial = 300});
		if (!t.thorough())
			return;
		fail_each(Point::any_rtas, {.status = -3});
		for (u64 partial : {0, 1, 300, 512}) {
			Note at{t, "partial", partial};
			for (long status : {-1, -16, 9901})
				fail_each(Point::any_hcall, {.status = status, .partial = partial});
		}
		fail_each(Point::any_hcall, {.status = 1});
	}

	void fail_each(Point p, Injection what)
	{
		Note which{t, "point", static_cast<u64>(p)};
		Note nth{t, "k", 0};
		for (what.at = 1; !t.failed(); what.at += t.thorough() || what.at < 3 ? 1 : 20) {
			nth.set(what.at);
			const bool more = fail_one(p, what);
			t.fresh_host();
			if (!more)
				return;
		}
	}

	// False when there were fewer than k calls.
	bool fail_one(Point p, const Injection &what)
	{
		Rig rig{t, s.setup};
		s.prepare(rig);
		const Snapshot before{rig};
		const u64 from = rig.host.firmware.history.size(), faults = rig.host.firmware.default_window_faults;
		rig.host.injector.arm(p, what);
		const int status = s.act(rig);
		rig.host.injector.disarm();
		// The empty default window of a PE may lack, or be there beside another, only where the fault hit it,
		// or the bookkeeping for it once it was there.
		const bool hit =
			rig.host.firmware.default_window_faults != faults || p == Point::alloc || p == Point::table;
		const auto spares = hit ? Snapshot::Spares::overlook : Snapshot::Spares::count;
		allowed.check(t, rig.host.firmware.history, from);
		if (status != TCEWIN_OK) {
			Snapshot{rig}.expect_same(t, before, spares);
			EXPECT(rig.host.injector.hits(p));
			EXPECT(status == TCEWIN_NO_MEMORY || status == TCEWIN_FIRMWARE_ERROR ||
			       status == TCEWIN_INTERRUPTED || status == TCEWIN_TOO_LARGE);
			EXPECT_EQ(s.act(rig), TCEWIN_OK);
		}
		Snapshot{rig}.expect_same(t, *after, spares);
		return rig.host.injector.hits(p) != 0;
	}

	Test &t;
	const Scenario &s;
	tcewin_platform machine{};
	Allowed allowed;
	std::optional<Snapshot> after;
};

} // namespace

void sweep(Test &t, const Scenario &s) { Sweep{t, s}.run(); }

} // namespace tcewin::test
