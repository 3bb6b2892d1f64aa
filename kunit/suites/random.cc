// SPDX-License-Identifier: GPL-2.0-only
// Thousands of calls in no order, good and bad, some of them made to fail inside, against the model.
#include "tcewin/engine.h"

#include "model.hh"
#include "random.hh"

using namespace tcewin::test;

namespace
{

class Walk
{
public:
	Walk(Test &test, const Setup &setup, u64 seed, bool failures)
		: t{test}, rig{test, setup}, model{*::new(tcewin_run_alloc(sizeof(Model))) Model{rig}}, random{seed},
		  failures{failures}
	{
		const Personality &p = rig.personality();
		model.create_done(p.default_start, p.default_size, 12, !p.in_memory());
	}
	~Walk()
	{
		model.~Model();
		tcewin_run_free(&model);
	}

	void run(unsigned steps)
	{
		Note at{t, "step", 0};
		rig.host.memory.to_file = random.one_in(2);
		for (unsigned i = 0; i < steps && !t.failed(); i++) {
			at.set(i);
			arm();
			step();
			rig.host.injector.disarm();
			if (i % 8 == 0)
				model.compare();
		}
		model.compare();
	}

private:
	// One call in four is made to fail somewhere, if the walk is of that kind.
	void arm()
	{
		armed = failures && random.one_in(4);
		if (!armed)
			return;
		static constexpr Point lpar[] = {Point::any_hcall, Point::any_rtas},
				       ioda2[] = {Point::level, Point::table, Point::set_window, Point::unset_window},
				       both[] = {Point::alloc, Point::charge, Point::pin, Point::announce,
						 Point::yield};
		const bool in_memory = rig.personality().in_memory();
		const u64 n = random.below(in_memory ? 9 : 7);
		point = n < 5 ? both[n] : in_memory ? ioda2[n - 5] : lpar[n - 5];
		rig.host.injector.arm(point, {.at = random.small(12), .status = -1, .partial = random.below(513)});
	}

	void step()
	{
		const u64 dice = random.below(100);
		if (dice < 45)
			map();
		else if (dice < 70)
			unmap();
		else if (dice < 80)
			add();
		else if (dice < 87)
			drop();
		else if (dice < 92 || model.windows() == 0)
			create();
		else if (dice < 95)
			remove();
		else
			come_or_go();
	}

	// True if the call succeeded; whether it may is the model's to say.
	bool verdict(int status, Answers refused)
	{
		const bool fell = armed && rig.host.injector.hits(point);
		const bool allowed = status == TCEWIN_OK
					     ? refused.empty()
					     : refused.has(status) || (fell && (status == TCEWIN_NO_MEMORY ||
										status == TCEWIN_FIRMWARE_ERROR ||
										status == TCEWIN_INTERRUPTED));
		if (!allowed)
			t.fail(__FILE__, __LINE__,
			       Line{}.add("answer ").value(status).add(" is not what the model says"));
		return status == TCEWIN_OK;
	}

	u64 any_memory()
	{
		const u64 page = random.one_in(3) ? 4 * kib : 64 * kib;
		if (!model.regions().empty() && !random.one_in(5)) {
			const Model::Region &r = model.regions()[random.below(model.regions().size())];
			return r.address + random.below(r.size / page) * page;
		}
		return (random.one_in(2) ? scattered + random.below(8 * mib / page) * page
					 : block + random.below(8 * mib / page) * page);
	}
	const Model::Window &any_window()
	{
		const auto i = static_cast<unsigned>(random.below(Model::most_windows));
		return model.window(i).there || random.one_in(10) ? model.window(i) : model.window(!i);
	}

	void map()
	{
		const Model::Window &w = any_window();
		const u64 page = u64{1} << (w.page_shift ? w.page_shift : 12);
		u64 ioba = w.start + random.below(w.size / page + 2) * page, address = any_memory() & ~(page - 1);
		u64 size = random.small(200) * page;
		if (random.one_in(10))
			(random.one_in(3) ? ioba : random.one_in(2) ? address : size) += random.below(4) * 1024;
		const u32 access = static_cast<u32>(random.one_in(20) ? 0 : random.below(3) + 1);
		const Answers refused = model.map(ioba, address, size, access);
		if (verdict(rig.map(ioba, address, size, access), refused))
			model.map_done(ioba, address, size, access);
	}

	void unmap()
	{
		const Model::Window &w = any_window();
		const u64 page = u64{1} << (w.page_shift ? w.page_shift : 12);
		const u64 ioba = w.start + random.below(w.size / page + 2) * page;
		const u64 size = random.small(random.one_in(4) ? 1000 : 100) * page - (random.one_in(20) ? 512 : 0);
		const Answers refused = model.unmap(ioba, size);
		if (verdict(rig.unmap(ioba, size), refused))
			model.unmap_done(ioba, size);
	}

	void add()
	{
		const u64 address = any_memory(), size = random.small(16) * 64 * kib;
		if (address < block && address + size > scattered + scattered_size)
			return;
		const Answers refused = model.add(address, size);
		if (verdict(rig.add(address, size), refused))
			model.add_done(address, size);
	}

	void drop()
	{
		if (model.regions().empty())
			return;
		const Model::Region &r = model.regions()[random.below(model.regions().size())];
		const u64 address = r.address + (random.one_in(10) ? 4 * kib : 0), size = r.size;
		const Answers refused = model.drop(address, size);
		if (verdict(rig.drop(address, size), refused))
			model.drop_done(address, size);
	}

	void create()
	{
		const Personality &p = rig.fake[0]->personality;
		const u32 shift = random.one_in(2) ? 12 : 16;
		// a second window of 4 KiB pages that is no default window must be larger than that one
		const u64 size = shift == 12 ? p.default_size : Model::most_entries / 4 << shift;
		const Answers refused = model.create(shift, size);
		if (!verdict(rig.create(shift, size), refused))
			return;
		const bool is_default =
			rig.start == p.default_start && shift == 12 && model.windows() == 0 && !p.in_memory();
		// unless the platform would not empty that one
		if (p.in_memory() && !rig.host.injector.hits(Point::unset_window))
			EXPECT_EQ(rig.start, model.free_place());
		model.create_done(rig.start, size, shift, is_default);
	}

	void remove()
	{
		const Model::Window &w = any_window();
		const u64 start = w.start + (random.one_in(10) ? 4 * kib : 0);
		const Answers refused = model.remove(start);
		if (verdict(rig.remove(start), refused))
			model.remove_done(start);
	}

	// The second PE; a stranger to some of the places that windows can be at.
	void come_or_go()
	{
		rig.host.injector.disarm();
		if (rig.pes < 2)
			return;
		if (rig.attached[1]) {
			EXPECT_EQ(rig.detach(1), TCEWIN_OK);
			return;
		}
		const int status = rig.attach(1);
		if (status != TCEWIN_INCOMPATIBLE && status != TCEWIN_FIRMWARE_ERROR)
			EXPECT_EQ(status, TCEWIN_OK);
		joined += status == TCEWIN_OK;
	}

	Test &t;
	Rig rig;
	Model &model;
	Random random;
	const bool failures;
	bool armed{};
	Point point{};
	unsigned joined{};
};

constexpr Personality small(Personality p)
{
	p.default_size = Model::most_entries * 4 * kib;
	return p;
}

void walk(Test &t, Personality p, unsigned pes, bool failures, tcewin_container_kind kind = TCEWIN_CONTAINER_V2)
{
	static constexpr u64 corpus[] = {1, 2, 1002}; // of which some failed once
	each_seed(t, corpus, 2, [&](u64 seed) {
		Walk w{t, {.personality = small(p), .pes = pes, .kind = kind}, seed, failures};
		w.run(t.rounds(4000));
	});
}

void qemu(Test &t) { walk(t, Personality::qemu(), 1, false); }
void qemu_failing(Test &t) { walk(t, Personality::qemu(), 1, true); }
void powervm(Test &t) { walk(t, Personality::powervm(), 1, false); }
void powervm_failing(Test &t) { walk(t, Personality::powervm(), 1, true); }
void vf_failing(Test &t) { walk(t, Personality::powervm_vf(), 1, true); }
void two_on_qemu(Test &t) { walk(t, Personality::qemu(), 2, false); }
void two_on_powervm_failing(Test &t) { walk(t, Personality::powervm(), 2, true); }
void ioda2(Test &t) { walk(t, Personality::ioda2(), 1, false); }
void ioda2_failing(Test &t) { walk(t, Personality::ioda2(), 1, true); }
void two_on_ioda2_failing(Test &t) { walk(t, Personality::ioda2(), 2, true); }
void borrowed(Test &t) { walk(t, Personality::without_ddw(), 1, false, TCEWIN_CONTAINER_V2_ANY_PE); }
void borrowed_failing(Test &t) { walk(t, Personality::without_ddw(), 1, true, TCEWIN_CONTAINER_V2_ANY_PE); }
void two_borrowed_failing(Test &t) { walk(t, Personality::without_ddw(), 2, true, TCEWIN_CONTAINER_V2_ANY_PE); }
void one_by_one(Test &t)
{
	Personality p = Personality::qemu();
	p.batches = false;
	walk(t, p, 1, true);
}

constexpr tcewin_case cases[] = {
	CASE(qemu),
	CASE(qemu_failing),
	CASE(powervm),
	CASE(powervm_failing),
	CASE(vf_failing),
	CASE(two_on_qemu),
	CASE(two_on_powervm_failing),
	CASE(one_by_one),
	CASE(ioda2),
	CASE(ioda2_failing),
	CASE(two_on_ioda2_failing),
	CASE(borrowed),
	CASE(borrowed_failing),
	CASE(two_borrowed_failing),
};

} // namespace

TCEWIN_SUITE(random, cases);
