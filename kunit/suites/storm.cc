// SPDX-License-Identifier: GPL-2.0-only
// Everything goes wrong at once and stays so for a while: several calls of host.h fail from now on, firmware puts
// windows where it likes and names them as it likes, and the weather changes every few steps. Whatever is answered, no
// device reaches memory that is not pinned, what was unmapped is unmapped, and the answer is one of those that the
// contract has.
#include "tcewin/engine.h"

#include "random.hh"
#include "rig.hh"
#include "sweep.hh"

using namespace tcewin::test;

namespace
{

constexpr u64 piece = 8 * mib; // of memory that is registered and mapped

// How often each call did what it was asked to.
struct Successes {
	u64 map, unmap, memory, create, remove, attach, detach, put;
};

class Storm
{
public:
	Storm(Test &test, const Setup &setup, u64 seed, Successes &counts)
		: t{test}, rig{test, setup}, random{seed}, done{counts}
	{
	}
	// The user is gone, while it still storms.
	~Storm()
	{
		for (unsigned i = 0; i < rig.pes; i++)
			if (rig.attached[i])
				leave(i);
		tcewin_container_destroy(rig.container);
		rig.container = nullptr;
		// what was not given back is kept for good; whoever keeps the mm for that must have been told
		if (!told && (!rig.mm->pins.empty() || rig.mm->charged))
			t.fail(__FILE__, __LINE__, Line{}.add("pinned or charged for good, and nobody was told"));
		rig.host.injector.disarm();
		rig.host.stuck_is_expected = rig.host.events[TCEWIN_EVENT_STUCK] != 0;
		for (FakePe *pe : rig.host.firmware.pes())
			pe->override_start = pe->override_liobn = 0;
	}

	void run(unsigned steps)
	{
		Note at{t, "step", 0};
		for (unsigned i = 0; i < steps && !t.failed(); i++) {
			at.set(i);
			weather();
			step();
			rig.host.firmware.check_reach("reaches memory that is not pinned");
		}
	}

private:
	// ---- the weather ----

	void weather()
	{
		if (random.one_in(12))
			rig.host.injector.disarm();
		if (!random.one_in(4))
			return;
		static constexpr Point lpar[] = {Point::any_hcall, Point::put_indirect, Point::stuff,
						 Point::put,	   Point::any_rtas,	Point::query,
						 Point::create,	   Point::remove,	Point::reset};
		static constexpr Point ioda2[] = {Point::level, Point::table, Point::set_window, Point::link,
						  Point::unset_window};
		static constexpr Point both[] = {Point::alloc,	  Point::charge, Point::pin,
						 Point::announce, Point::yield,	 Point::settle};
		const bool in_memory = rig.personality().in_memory();
		const Point point = random.one_in(3) ? both[random.below(6)]
				    : in_memory	     ? ioda2[random.below(5)]
						     : lpar[random.below(9)];
		const bool hcall = point == Point::any_hcall || point == Point::put_indirect || point == Point::stuff ||
				   point == Point::put;
		rig.host.injector.arm(point, {.at = random.small(5),
					      .onwards = random.one_in(2),
					      .status = hcall && random.one_in(3) ? -16 : -1,
					      .partial = random.below(513)});
		odd_firmware(*rig.fake[random.below(rig.pes)]);
	}

	// The next window is somewhere else, or has the name of another.
	void odd_firmware(FakePe &pe)
	{
		if (rig.personality().in_memory() || !random.one_in(3))
			return;
		static constexpr u64 places[] = {u64{1} << 58, (u64{1} << 59) + 4 * kib, 0x10000000, ~u64{0xffff}, gib};
		if (random.one_in(2))
			pe.override_start = places[random.below(5)];
		else if (!pe.tables.empty())
			pe.override_liobn = pe.tables[random.below(pe.tables.size())]->liobn;
	}

	// ---- what the user does ----

	void step()
	{
		switch (random.below(12)) {
		case 0:
		case 1:
		case 2:
			return map();
		case 3:
		case 4:
			return unmap();
		case 5:
			return memory();
		case 6:
			return create();
		case 7:
			return remove();
		case 8:
		case 9:
			return come_or_go(static_cast<unsigned>(random.below(rig.pes)));
		default:
			return kvm();
		}
	}

	// @status is OK, or what anything may answer that goes wrong, or one of @refusals.
	template <class... S>
	bool verdict(const char *call, int status, S... refusals)
	{
		const bool known = status == TCEWIN_OK || status == TCEWIN_NO_MEMORY ||
				   status == TCEWIN_FIRMWARE_ERROR || status == TCEWIN_INTERRUPTED ||
				   status == TCEWIN_STUCK || status == TCEWIN_NO_GROUP || ((status == refusals) || ...);
		if (!known)
			t.fail(__FILE__, __LINE__, Line{}.add(call).add(" answers ").value(status));
		return status == TCEWIN_OK;
	}

	struct Place {
		u64 start;
		u32 shift;
	};
	Place any_place()
	{
		if (made.empty() || random.one_in(2))
			return {rig.personality().default_start, 12};
		return made[random.below(made.size())];
	}
	u64 any_address() { return block + random.below(4) * piece; }
	u64 any_count() { return random.one_in(2) ? 1 : random.small(600); }

	void map()
	{
		const Place p = any_place();
		const u64 ioba = p.start + (random.below(512) << p.shift), size = any_count() << p.shift;
		const u64 address = any_address() + (random.below(16) << p.shift);
		if (!verdict("map", rig.map(ioba, address, size), TCEWIN_NOTHING_REGISTERED, TCEWIN_NOT_REGISTERED,
			     TCEWIN_NO_WINDOW, TCEWIN_PAGE_TOO_LARGE, TCEWIN_OUT_OF_WINDOW, TCEWIN_UNALIGNED))
			return;
		done.map++;
		rig.expect_mapped(ioba, address, 4 * kib);
		rig.expect_mapped(ioba + size - 4 * kib, address + size - 4 * kib, 4 * kib);
	}

	void unmap()
	{
		const Place p = any_place();
		const u64 ioba = p.start + (random.below(512) << p.shift), size = any_count() << p.shift;
		if (!verdict("unmap", rig.unmap(ioba, size), TCEWIN_NOTHING_REGISTERED, TCEWIN_NO_WINDOW,
			     TCEWIN_OUT_OF_WINDOW, TCEWIN_UNALIGNED))
			return;
		done.unmap++;
		for (u64 at = 0; at < size; at += u64{1} << p.shift)
			rig.expect_unmapped(ioba + at, 4 * kib);
	}

	void memory()
	{
		const u64 address = any_address();
		if (random.one_in(2))
			done.memory += verdict("register", rig.add(address, piece), TCEWIN_ALREADY_REGISTERED);
		else
			done.memory += verdict("unregister", rig.drop(address, piece), TCEWIN_UNKNOWN_REGION,
					       TCEWIN_STILL_MAPPED);
	}

	void create()
	{
		const u32 shift = random.one_in(2) ? 12 : 16;
		const u64 size = random.one_in(3) ? rig.personality().default_size : gib;
		if (verdict("create", rig.create(shift, size), TCEWIN_NO_SLOT, TCEWIN_IN_THE_WAY, TCEWIN_TOO_LARGE,
			    TCEWIN_NO_DDW, TCEWIN_BAD_PAGE_SHIFT))
			made.push({rig.start, shift}), done.create++;
	}

	void remove()
	{
		const Place p = any_place();
		done.remove += verdict("remove", rig.remove(p.start), TCEWIN_UNKNOWN_WINDOW);
	}

	void come_or_go(unsigned pe)
	{
		if (rig.attached[pe])
			leave(pe);
		else if (tcewin_pe_owner(rig.pe[pe]) == TCEWIN_OWNER_USER)
			come(pe);
	}
	void come(unsigned pe)
	{
		const int status = rig.attach(pe);
		told |= status == TCEWIN_STUCK;
		done.attach += verdict("attach", status, TCEWIN_INCOMPATIBLE, TCEWIN_IN_THE_WAY, TCEWIN_NO_SLOT,
				       TCEWIN_TOO_LARGE);
	}
	void leave(unsigned pe)
	{
		const int status = rig.detach(pe);
		told |= status == TCEWIN_STUCK;
		done.detach += verdict("detach", status);
	}

	void kvm()
	{
		FakePe &pe = *rig.fake[random.below(rig.pes)];
		if (pe.tables.empty())
			return;
		tcewin_host_table *table = pe.tables[random.below(pe.tables.size())]->object;
		if (!table || !table->kvm.engine)
			return;
		const u64 entry = random.below(512);
		if (random.one_in(2))
			done.put += rig.host.kvm.put_page(table, entry, any_address(), rw) == TCEWIN_OK;
		else
			(void)rig.host.kvm.clear(table, entry);
		rig.host.settled();
	}

	Test &t;
	Rig rig;
	Random random;
	Vector<Place> made;
	Successes &done;
	bool told{}; // by attach or detach, that something is stuck
};

void storm(Test &t, Personality p, std::span<const u64> corpus, tcewin_container_kind kind = TCEWIN_CONTAINER_V2)
{
	Successes done{};
	for (unsigned pes = 1; pes <= Rig::most && !t.failed(); pes++) {
		Note at{t, "PEs", pes};
		each_seed(t, corpus, t.rounds(300), [&](u64 seed) {
			Storm{t, {.personality = with_small_default(p), .pes = pes, .kind = kind}, seed, done}.run(200);
		});
	}
	// a storm in which nothing works shows nothing
	EXPECT(done.map && done.unmap && done.memory && done.remove && done.attach && done.detach && done.put);
	EXPECT(done.create);
}

constexpr u64 once_red[] = {60, 73, 74, 0x131, 0xf1d71a3c};

void qemu(Test &t) { storm(t, Personality::qemu(), once_red); }
void powervm(Test &t) { storm(t, Personality::powervm(), once_red); }
void vf(Test &t) { storm(t, Personality::powervm_vf(), once_red); }
void vf_above_4g(Test &t) { storm(t, Personality::powervm_vf_above_4g(), once_red); }
void ioda2(Test &t) { storm(t, Personality::ioda2(), once_red); }
void borrowed(Test &t) { storm(t, Personality::without_ddw(), once_red, TCEWIN_CONTAINER_V2_ANY_PE); }

constexpr tcewin_case cases[] = {
	CASE(qemu), CASE(powervm), CASE(vf), CASE(vf_above_4g), CASE_ON_IODA2(ioda2), CASE(borrowed),
};

} // namespace

TCEWIN_SUITE(storm, cases);
