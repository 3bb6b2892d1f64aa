// SPDX-License-Identifier: GPL-2.0-only
// Each operation of engine.h with a failure at every k-th call of each kind, until none is left to fail. Whatever
// fails: an error, all as before, no table ever in a state that is neither before nor after, and the next try works.
#include "tcewin/engine.h"

#include "rig.hh"

using namespace tcewin::test;

namespace
{

struct Scenario {
	Setup setup;
	void (*prepare)(Rig &rig);
	int (*act)(Rig &rig);
};

// Small enough that a reset is two H_STUFF_TCE.
constexpr Personality small(Personality p)
{
	p.default_size = 4 * mib;
	return p;
}
constexpr Personality qemu = small(Personality::qemu()), powervm = small(Personality::powervm()),
		      vf = small(Personality::powervm_vf()), borrowed = small(Personality::without_ddw());
constexpr Personality without_batches()
{
	Personality p = qemu;
	p.default_size = 64 * kib;
	p.batches = false;
	return p;
}

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
		}
		t.fresh_host();
		for (Point p : {Point::alloc, Point::charge, Point::pin, Point::announce, Point::yield})
			fail_each(p, {.status = 0});
		// a signal that kills does not go away
		fail_each(Point::yield, {.onwards = true});
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

private:
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
		// The empty default window of a PE may lack, or be there beside another, only where the fault hit it.
		const Snapshot::Spares spares = rig.host.firmware.default_window_faults == faults
							? Snapshot::Spares::count
							: Snapshot::Spares::overlook;
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
	Allowed allowed;
	std::optional<Snapshot> after;
};

void sweep(Test &t, const Scenario &s) { Sweep{t, s}.run(); }

// What mappings are measured in: enough for several batches, no more than a slow runner can bear.
u64 unit(const Rig &rig) { return rig.t.thorough() ? mib : mib / 2; }

void nothing(Rig &) {}
void registered(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.add(scattered, 4 * unit(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.add(scattered + 4 * unit(rig), 4 * unit(rig)), TCEWIN_OK);
}
// A DDW beside the default window; the test's own window is rig.start.
void with_ddw(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	EXPECT_EQ(rig.create(12, gib), TCEWIN_OK);
}
// Mappings with holes between, over two regions, reading and writing.
void with_maps(Rig &rig)
{
	Test &t = rig.t;
	with_ddw(rig);
	EXPECT_EQ(rig.map(rig.start, scattered, 2 * unit(rig)), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + 3 * unit(rig), scattered + 3 * unit(rig), 2 * unit(rig), TCEWIN_READ), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + 8 * unit(rig), scattered, 4 * kib, TCEWIN_WRITE), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.fake[0]->info.default_start, scattered, (rig.t.thorough() ? 4096 : 64) * kib), TCEWIN_OK);
}

int do_register(Rig &rig) { return rig.add(scattered, 2 * unit(rig)); }
int do_unregister(Rig &rig) { return rig.drop(scattered, 4 * unit(rig)); }
int do_create(Rig &rig) { return rig.create(16, gib); }
int do_remove(Rig &rig) { return rig.remove(rig.start); }
int do_remove_default(Rig &rig) { return rig.remove(rig.fake[0]->info.default_start); }
int do_create_default(Rig &rig) { return rig.create(12, rig.fake[0]->info.default_size); }
int do_attach_first(Rig &rig) { return rig.attach(0); }
int do_map(Rig &rig) { return rig.map(rig.start + 16 * unit(rig), scattered + 3 * unit(rig), 4 * unit(rig)); }
// Over all of with_maps(): part of a run before, a hole, a run, a hole, and part of the run behind.
int do_replace(Rig &rig) { return rig.map(rig.start + unit(rig), scattered, 7 * unit(rig) + 8 * kib); }
int do_unmap(Rig &rig) { return rig.unmap(rig.start + unit(rig), 3 * unit(rig)); }
int do_unmap_inside(Rig &rig) { return rig.unmap(rig.start + 4 * kib, 4 * kib); }
int do_unmap_all(Rig &rig) { return rig.unmap(rig.start, gib); }
int do_attach_second(Rig &rig) { return rig.attach(1); }

void no_default(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(do_remove_default(rig), TCEWIN_OK);
}
void second_attached(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.attach(1), TCEWIN_OK);
}
void second_without_default(Rig &rig)
{
	second_attached(rig);
	no_default(rig);
}
void both_attached(Rig &rig)
{
	second_attached(rig);
	with_maps(rig);
}
void detached(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
}
// What a PE without DDW can have, as with_maps().
void default_maps(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	rig.start = rig.fake[0]->info.default_start;
	const u64 size = (rig.t.thorough() ? 1024 : 64) * kib;
	EXPECT_EQ(rig.map(rig.start, scattered, size), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start + size + 8 * kib, scattered, size, TCEWIN_READ), TCEWIN_OK);
}
void default_maps_on_two(Rig &rig)
{
	second_attached(rig);
	default_maps(rig);
}
// Mappings in a DDW that is the only window.
void maps_in_last(Rig &rig)
{
	Test &t = rig.t;
	registered(rig);
	no_default(rig);
	EXPECT_EQ(rig.create(16, gib), TCEWIN_OK);
	const u64 size = (rig.t.thorough() ? 640 : 16) * 64 * kib;
	EXPECT_EQ(rig.add(block, size), TCEWIN_OK);
	EXPECT_EQ(rig.map(rig.start, block, size), TCEWIN_OK);
}
// Not even the empty default window is there: the hypervisor would not empty it, and firmware took it away.
void detached_bare(Rig &rig)
{
	Test &t = rig.t;
	detached(rig);
	EXPECT_EQ(rig.attach(0), TCEWIN_OK);
	rig.host.injector.arm(Point::any_hcall, {.at = 1, .onwards = true});
	EXPECT_EQ(rig.detach(0), TCEWIN_OK);
	rig.host.injector.disarm();
	EXPECT_EQ(rig.fake[0]->tables.size(), 0);
}
void few_maps(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.add(scattered, mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 16 * kib), TCEWIN_OK);
	EXPECT_EQ(rig.map(20 * kib, scattered + 32 * kib, 16 * kib, TCEWIN_READ), TCEWIN_OK);
}

void enabled(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_EQ(rig.map(0, scattered, 3 * mib), TCEWIN_OK);
	EXPECT_EQ(rig.map(mib, scattered + 4 * mib, 8 * kib, TCEWIN_READ), TCEWIN_OK);
}
constexpr Setup v1{.personality = qemu, .kind = TCEWIN_CONTAINER_V1};

void enable_v1(Test &t)
{
	sweep(t, {v1, nothing, [](Rig &rig) { return rig.enable(); }});
}
void disable_v1(Test &t)
{
	sweep(t, {v1, enabled, [](Rig &rig) { return rig.disable(); }});
}
void map_v1(Test &t)
{
	sweep(t, {v1, enabled, [](Rig &rig) { return rig.map(mib / 2, scattered, 3 * mib); }});
}
void unmap_v1(Test &t)
{
	sweep(t, {v1, enabled, [](Rig &rig) { return rig.unmap(mib / 2, mib); }});
}
int do_replace_default(Rig &rig) { return rig.map(rig.start + 32 * kib, scattered + mib, 64 * kib); }
int do_unmap_default(Rig &rig) { return rig.unmap(rig.start + 32 * kib, mib); }

constexpr Setup borrowed_v1{.personality = borrowed, .kind = TCEWIN_CONTAINER_V1};
constexpr Setup any_pe{.personality = borrowed, .pes = 2, .kind = TCEWIN_CONTAINER_V2_ANY_PE};

// A little is enough here: MAP and UNMAP know nothing of the PE.
void enabled_a_little(Rig &rig)
{
	Test &t = rig.t;
	EXPECT_EQ(rig.enable(), TCEWIN_OK);
	EXPECT_EQ(rig.map(64 * kib, scattered, 128 * kib), TCEWIN_OK);
}
void borrowed_disable_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.disable(); }});
}
void borrowed_map_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.map(0, scattered, 128 * kib); }});
}
void borrowed_unmap_v1(Test &t)
{
	sweep(t, {borrowed_v1, enabled_a_little, [](Rig &rig) { return rig.unmap(0, 128 * kib); }});
}
void borrowed_attach_first(Test &t) { sweep(t, {any_pe, detached, do_attach_first}); }
void borrowed_attach_second(Test &t) { sweep(t, {any_pe, default_maps, do_attach_second}); }
void borrowed_attach_to_none(Test &t) { sweep(t, {any_pe, no_default, do_attach_second}); }
void borrowed_create(Test &t) { sweep(t, {any_pe, second_without_default, do_create_default}); }
void borrowed_remove(Test &t) { sweep(t, {any_pe, default_maps, do_remove_default}); }
void borrowed_remove_on_two(Test &t) { sweep(t, {any_pe, default_maps_on_two, do_remove_default}); }
void borrowed_replace(Test &t) { sweep(t, {any_pe, default_maps_on_two, do_replace_default}); }
void borrowed_unmap(Test &t) { sweep(t, {any_pe, default_maps_on_two, do_unmap_default}); }
void register_memory(Test &t) { sweep(t, {{qemu}, nothing, do_register}); }
void unregister_memory(Test &t) { sweep(t, {{qemu}, registered, do_unregister}); }
void create(Test &t) { sweep(t, {{qemu}, nothing, do_create}); }
void create_powervm(Test &t) { sweep(t, {{powervm}, nothing, do_create}); }
void create_beside_none(Test &t) { sweep(t, {{powervm}, no_default, do_create}); }
void create_beside_none_on_two(Test &t) { sweep(t, {{powervm, 2}, second_without_default, do_create}); }
void remove_last(Test &t) { sweep(t, {{powervm}, maps_in_last, do_remove}); }
void remove_last_vf(Test &t) { sweep(t, {{vf}, maps_in_last, do_remove}); }
void remove_untouched(Test &t) { sweep(t, {{qemu}, nothing, do_remove_default}); }
void attach_first_bare(Test &t) { sweep(t, {{qemu}, detached_bare, do_attach_first}); }
void attach_first_bare_vf(Test &t) { sweep(t, {{vf}, detached_bare, do_attach_first}); }
void create_vf(Test &t) { sweep(t, {{vf}, no_default, do_create}); }
void create_default(Test &t) { sweep(t, {{qemu}, no_default, do_create_default}); }
void create_default_vf(Test &t) { sweep(t, {{vf}, no_default, do_create_default}); }
void create_on_two(Test &t) { sweep(t, {{qemu, 2}, second_attached, do_create}); }
void create_default_on_two(Test &t) { sweep(t, {{powervm, 2}, second_without_default, do_create_default}); }
void remove(Test &t) { sweep(t, {{qemu}, with_maps, do_remove}); }
void remove_powervm(Test &t) { sweep(t, {{powervm}, with_maps, do_remove}); }
void remove_default(Test &t) { sweep(t, {{powervm}, with_maps, do_remove_default}); }
void attach_first(Test &t) { sweep(t, {{qemu}, detached, do_attach_first}); }
void attach_first_vf(Test &t) { sweep(t, {{vf}, detached, do_attach_first}); }
void map(Test &t) { sweep(t, {{qemu}, with_maps, do_map}); }
void replace(Test &t) { sweep(t, {{qemu}, with_maps, do_replace}); }
void replace_on_two(Test &t) { sweep(t, {{powervm, 2}, both_attached, do_replace}); }
void replace_one_by_one(Test &t)
{
	sweep(t, {{without_batches()}, few_maps, [](Rig &rig) { return rig.map(8 * kib, scattered, 24 * kib); }});
}
void unmap_one_by_one(Test &t)
{
	sweep(t, {{without_batches()}, few_maps, [](Rig &rig) { return rig.unmap(8 * kib, 24 * kib); }});
}
void unmap(Test &t) { sweep(t, {{qemu}, with_maps, do_unmap}); }
void unmap_inside(Test &t) { sweep(t, {{qemu}, with_maps, do_unmap_inside}); }
void unmap_all(Test &t) { sweep(t, {{powervm}, with_maps, do_unmap_all}); }
void unmap_on_two(Test &t) { sweep(t, {{qemu, 2}, both_attached, do_unmap}); }
void attach_second(Test &t) { sweep(t, {{powervm, 2}, with_maps, do_attach_second}); }
void attach_second_qemu(Test &t) { sweep(t, {{qemu, 2}, with_maps, do_attach_second}); }

constexpr tcewin_case cases[] = {
	CASE(register_memory),
	CASE(borrowed_disable_v1),
	CASE(borrowed_map_v1),
	CASE(borrowed_unmap_v1),
	CASE(borrowed_attach_first),
	CASE(borrowed_attach_second),
	CASE(borrowed_attach_to_none),
	CASE(borrowed_create),
	CASE(borrowed_remove),
	CASE(borrowed_remove_on_two),
	CASE(borrowed_replace),
	CASE(borrowed_unmap),
	CASE(create_beside_none),
	CASE(create_beside_none_on_two),
	CASE(remove_last),
	CASE(remove_last_vf),
	CASE(remove_untouched),
	CASE(attach_first_bare),
	CASE(attach_first_bare_vf),
	CASE(unregister_memory),
	CASE(create),
	CASE(create_powervm),
	CASE(create_vf),
	CASE(create_default),
	CASE(create_default_vf),
	CASE(create_on_two),
	CASE(create_default_on_two),
	CASE(remove),
	CASE(remove_powervm),
	CASE(remove_default),
	CASE(attach_first),
	CASE(attach_first_vf),
	CASE(map),
	CASE(replace),
	CASE(replace_on_two),
	CASE(unmap),
	CASE(unmap_inside),
	CASE(unmap_all),
	CASE(unmap_on_two),
	CASE(attach_second),
	CASE(attach_second_qemu),
	CASE(replace_one_by_one),
	CASE(unmap_one_by_one),
	CASE(enable_v1),
	CASE(disable_v1),
	CASE(map_v1),
	CASE(unmap_v1),
};

} // namespace

TCEWIN_SUITE(sweep, cases);
