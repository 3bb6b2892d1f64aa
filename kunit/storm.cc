// SPDX-License-Identifier: GPL-2.0-only
#include "storm.hh"

#include "tcewin/engine.h"

namespace tcewin::test
{

namespace
{

constexpr u64 piece = 8 * mib; // of memory that is registered and mapped

} // namespace

Storm::Storm(Test &test, const Setup &setup, Random choices, Successes &counts, Calls which)
	: t{test}, rig{test, setup}, random{choices}, shadow{rig}, done{counts}, calls{which},
	  v1{setup.kind == TCEWIN_CONTAINER_V1}
{
}

Storm::~Storm()
{
	rig.host.meanwhile = nullptr;
	for (unsigned i = 0; i < rig.pes; i++)
		if (rig.attached[i])
			leave(i);
	tcewin_container_destroy(rig.container);
	rig.container = nullptr;
	// what was not given back is kept for good; whoever keeps the mm for that must have been told
	if (!told && (!rig.mm->pins.empty() || rig.mm->charged))
		t.fail(__FILE__, __LINE__, Line{}.add("pinned or charged for good, and nobody was told"));
	for (tcewin_host_table *table : held)
		FakeKvm::let_go(table);
	rig.host.injector.disarm();
	rig.mm->limit = ~u64{0};
	rig.host.stuck_is_expected = rig.host.events[TCEWIN_EVENT_STUCK] != 0;
	for (FakePe *pe : rig.host.firmware.pes())
		pe->override_start = pe->override_liobn = 0;
}

void Storm::run(unsigned steps)
{
	Note at{t, "step", 0};
	for (unsigned i = 0; i < steps && !t.failed() && !random.ended(); i++) {
		at.set(i);
		if (calls == Calls::old)
			weather();
		step();
		rig.host.firmware.check_reach("reaches memory that is not pinned");
		if (i % 16 == 15)
			shadow.compare();
	}
	shadow.compare();
}

// ---- the weather ----

void Storm::weather()
{
	if (random.one_in(12))
		rig.host.injector.disarm();
	if (!random.one_in(4))
		return;
	blow();
	odd_firmware(*rig.fake[random.below(rig.pes)]);
}

void Storm::blow()
{
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
	const u64 at = random.small(5);
	const bool onwards = random.one_in(2);
	const long status = hcall && random.one_in(3) ? -16 : -1;
	const u64 partial = random.below(513);
	const bool fades = calls == Calls::all && random.one_in(2);
	say("to fail", {static_cast<u64>(point), at, onwards, partial, fades});
	rig.host.injector.arm(point, {at, onwards, status, partial, fades});
}

// The next window is somewhere else, or has the name of another.
void Storm::odd_firmware(FakePe &pe)
{
	if (rig.personality().in_memory() || !random.one_in(3))
		return;
	static constexpr u64 places[] = {u64{1} << 58, (u64{1} << 59) + 4 * kib, 0x10000000, ~u64{0xffff}, gib};
	odd = true;
	say("odd firmware", {});
	if (random.one_in(2))
		pe.override_start = places[random.below(5)];
	else if (!pe.tables.empty())
		pe.override_liobn = pe.tables[random.below(pe.tables.size())]->liobn;
}

void Storm::limit_memory()
{
	odd = rig.host.memory.scarce = true;
	rig.mm->limit = random.one_in(4) ? ~u64{0} : rig.mm->locked + random.below(256) * 64;
	say("limit", {rig.mm->limit});
}

// ---- what the user does ----

void Storm::step()
{
	switch (random.below(calls == Calls::all ? 24 : 12)) {
	case 0:
	case 1:
	case 2:
		return map();
	case 3:
	case 4:
		return unmap();
	case 5:
		return v1 ? enable() : memory();
	case 6:
		return create();
	case 7:
		return remove();
	case 8:
	case 9:
		return come_or_go(static_cast<unsigned>(random.below(rig.pes)));
	case 10:
	case 11:
		return kvm();
	default:
		return another_step();
	}
}

void Storm::another_step()
{
	switch (random.below(12)) {
	case 0:
		say("nothing fails", {});
		return rig.host.injector.disarm();
	case 1:
	case 2:
	case 3:
		return blow();
	case 4:
		return odd_firmware(*rig.fake[random.below(rig.pes)]);
	case 5:
		return limit_memory();
	case 6:
		return hand_over(static_cast<unsigned>(random.below(rig.pes)));
	case 7:
		return hold();
	case 8:
		return kvm_held();
	case 9:
	case 10:
		return expect_meanwhile();
	default:
		return unmap();
	}
}

void Storm::say(const char *call, std::initializer_list<u64> numbers) const
{
	if (!trace)
		return;
	Line line;
	line.add(call);
	for (const u64 number : numbers)
		line.add(" ").hexadecimal(number);
	trace(line);
}

// @status is OK, or what anything may answer that goes wrong, or one of @refusals.
template <class... S>
bool Storm::verdict(const char *call, int status, S... refusals)
{
	say("  answers", {static_cast<u64>(status)});
	follow_meanwhile();
	const bool wrong = status == TCEWIN_NO_MEMORY || status == TCEWIN_FIRMWARE_ERROR ||
			   status == TCEWIN_INTERRUPTED || status == TCEWIN_STUCK;
	const bool known =
		status == TCEWIN_OK || (wrong && !calm()) || status == TCEWIN_NO_GROUP || ((status == refusals) || ...);
	if (!known)
		t.fail(__FILE__, __LINE__, Line{}.add(call).add(" answers ").value(status));
	return status == TCEWIN_OK;
}

void Storm::stuck_at(u64 ioba, int status)
{
	if (status == TCEWIN_STUCK)
		shadow.forget_window(ioba);
}

Storm::Place Storm::any_place()
{
	if (made.empty() || random.one_in(2))
		return {rig.personality().default_start, 12};
	return made[random.below(made.size())];
}

// Of the window that is there now, which may be another one than the place was of.
u64 Storm::page_at(u64 ioba) const
{
	for (unsigned i = 0; i < rig.pes; i++)
		for (const FakeTable *table : rig.fake[i]->tables)
			if (rig.attached[i] && table->holds(ioba))
				return u64{1} << table->page_shift;
	return 4 * kib;
}

u64 Storm::any_address() { return block + random.below(4) * piece; }

void Storm::map()
{
	const Place p = any_place();
	const u64 ioba = p.start + (random.below(512) << p.shift), size = any_count() << p.shift;
	const u64 address = any_address() + (random.below(16) << p.shift);
	const bool alone = !rig.host.meanwhile;
	say("map", {ioba, address, size});
	const int status = rig.map(ioba, address, size);
	stuck_at(ioba, status);
	const bool ok = status == TCEWIN_OK;
	if (ok)
		shadow.mapped(ioba, address, size, page_at(ioba));
	if (ok && alone)
		shadow.window_serves(ioba);
	verdict("map", status, TCEWIN_NOTHING_REGISTERED, TCEWIN_NOT_REGISTERED, TCEWIN_NO_WINDOW,
		TCEWIN_PAGE_TOO_LARGE, TCEWIN_OUT_OF_WINDOW, TCEWIN_UNALIGNED, TCEWIN_NOT_ENABLED);
	if (!ok)
		return;
	done.map++;
	if (!alone)
		return;
	rig.expect_mapped(ioba, address, 4 * kib);
	rig.expect_mapped(ioba + size - 4 * kib, address + size - 4 * kib, 4 * kib);
}

void Storm::unmap()
{
	const Place p = any_place();
	const u64 ioba = p.start + (random.below(512) << p.shift), size = any_count() << p.shift;
	const bool alone = !rig.host.meanwhile;
	say("unmap", {ioba, size});
	const int status = rig.unmap(ioba, size);
	stuck_at(ioba, status);
	if (status == TCEWIN_OK)
		shadow.unmapped(ioba, size, page_at(ioba));
	if (status == TCEWIN_OK && alone)
		shadow.window_serves(ioba);
	if (!verdict("unmap", status, TCEWIN_NOTHING_REGISTERED, TCEWIN_NO_WINDOW, TCEWIN_OUT_OF_WINDOW,
		     TCEWIN_UNALIGNED, TCEWIN_NOT_ENABLED))
		return;
	done.unmap++;
	for (u64 at = 0; alone && at < size; at += u64{1} << p.shift)
		rig.expect_unmapped(ioba + at, 4 * kib);
}

void Storm::memory()
{
	const u64 address = any_address();
	const bool adds = random.one_in(2);
	say(adds ? "register" : "unregister", {address});
	if (adds)
		done.memory += verdict("register", rig.add(address, piece), TCEWIN_ALREADY_REGISTERED);
	else
		done.memory +=
			verdict("unregister", rig.drop(address, piece), TCEWIN_UNKNOWN_REGION, TCEWIN_STILL_MAPPED);
}

void Storm::enable()
{
	const bool begins = random.one_in(2);
	say(begins ? "enable" : "disable", {});
	if (begins) {
		verdict("enable", rig.enable(), TCEWIN_ALREADY_ENABLED, TCEWIN_NOTHING_TO_ENABLE);
		return;
	}
	const int status = rig.disable();
	const Personality &p = rig.personality();
	stuck_at(p.default_start, status);
	if (verdict("disable", status, TCEWIN_NOT_ENABLED))
		shadow.window_gone(p.default_start, p.default_size);
}

void Storm::create()
{
	if (v1)
		return;
	const u32 shift = random.one_in(2) ? 12 : 16;
	const u64 size = random.one_in(3) ? rig.personality().default_size : gib;
	say("create", {shift, size});
	if (!verdict("create", rig.create(shift, size), TCEWIN_NO_SLOT, TCEWIN_IN_THE_WAY, TCEWIN_TOO_LARGE,
		     TCEWIN_NO_DDW, TCEWIN_BAD_PAGE_SHIFT, TCEWIN_FIRMWARE_ERROR)) // QEMU gives one place twice
		return;
	made.push({rig.start, shift});
	done.create++;
}

void Storm::remove()
{
	if (v1)
		return;
	const Place p = any_place();
	u64 size = 0;
	for (const FakePe *pe : rig.host.firmware.pes())
		for (const FakeTable *table : pe->tables)
			if (table->start == p.start && table->size() > size)
				size = table->size();
	say("remove", {p.start});
	const int status = rig.remove(p.start);
	stuck_at(p.start, status);
	if (!verdict("remove", status, TCEWIN_UNKNOWN_WINDOW))
		return;
	done.remove++;
	shadow.window_gone(p.start, size);
}

void Storm::come_or_go(unsigned pe)
{
	if (rig.attached[pe])
		leave(pe);
	else if (tcewin_pe_owner(rig.pe[pe]) == TCEWIN_OWNER_USER)
		come(pe);
}

void Storm::come(unsigned pe)
{
	say("attach", {pe});
	const int status = rig.attach(pe);
	told |= status == TCEWIN_STUCK;
	shadow.pe_gone(pe);
	done.attach += verdict("attach", status, TCEWIN_INCOMPATIBLE, TCEWIN_IN_THE_WAY, TCEWIN_NO_SLOT,
			       TCEWIN_TOO_LARGE, TCEWIN_ONE_GROUP_ONLY);
}

void Storm::leave(unsigned pe)
{
	say("detach", {pe});
	const int status = rig.detach(pe); // whatever it is: what the others have is as it was
	told |= status == TCEWIN_STUCK;
	shadow.pe_gone(pe);
	bool any = false;
	for (const bool attached : rig.attached)
		any |= attached;
	if (!any)
		shadow.all_gone();
	done.detach += verdict("detach", status);
}

// A PE that is in no container goes back to the kernel, and the user takes it once more.
void Storm::hand_over(unsigned pe)
{
	if (rig.attached[pe] || tcewin_pe_owner(rig.pe[pe]) != TCEWIN_OWNER_USER)
		return;
	say("release and take", {pe});
	verdict("release", rig.release(pe), TCEWIN_QUARANTINED);
	if (tcewin_pe_owner(rig.pe[pe]) == TCEWIN_OWNER_KERNEL)
		verdict("take", rig.take(pe), TCEWIN_QUARANTINED);
	rig.host.injector.disarm();
	if (tcewin_pe_owner(rig.pe[pe]) == TCEWIN_OWNER_KERNEL)
		verdict("take again", rig.take(pe));
}

// ---- what a guest does ----

// Of PE number @pe, a table that it may change, or nullptr.
FakeTable *Storm::any_open_table(unsigned pe)
{
	const Vector<FakeTable *> &tables = rig.fake[pe]->tables;
	if (v1 || tables.empty())
		return nullptr;
	FakeTable *table = tables[random.below(tables.size())];
	return table->object && table->object->kvm.engine ? table : nullptr;
}

void Storm::kvm()
{
	const auto i = static_cast<unsigned>(random.below(rig.pes));
	FakeTable *table = any_open_table(i);
	if (!table)
		return;
	kvm_at(i, *table);
	rig.host.settled();
}

void Storm::kvm_at(unsigned pe, FakeTable &table)
{
	const u64 entry = random.below(512), ioba = table.start + (entry << table.page_shift);
	tcewin_host_table *object = table.object;
	if (random.one_in(2)) {
		const u64 address = any_address();
		say("KVM puts", {pe, ioba, address});
		const u64 stuck = rig.host.events[TCEWIN_EVENT_STUCK];
		const int status = rig.host.kvm.put_page(object, entry, address, rw);
		if (rig.host.events[TCEWIN_EVENT_STUCK] != stuck)
			shadow.forget_window(ioba); // this table is stuck, or another PE's
		if (status == TCEWIN_OK)
			shadow.put(pe, ioba, address), done.put++;
		return;
	}
	say("KVM clears", {pe, ioba});
	const u64 stuck = rig.host.events[TCEWIN_EVENT_STUCK];
	const int status = rig.host.kvm.clear(object, entry);
	if (status == TCEWIN_OK)
		shadow.cleared(pe, ioba);
	else
		shadow.forget(ioba); // it may be empty all the same
	if (rig.host.events[TCEWIN_EVENT_STUCK] != stuck)
		shadow.forget_window(ioba);
}

// Another guest has the table, and keeps it.
void Storm::hold()
{
	FakePe &pe = *rig.fake[random.below(rig.pes)];
	if (pe.tables.empty())
		return;
	tcewin_host_table *table = pe.tables[random.below(pe.tables.size())]->object;
	if (!table)
		return;
	say("KVM keeps", {table->info.start});
	const Entered in{rig.host};
	FakeKvm::hold(table);
	held.push(table);
}

// What it may do with one that is closed is nothing.
void Storm::kvm_held()
{
	if (held.empty())
		return;
	const u64 i = random.below(held.size());
	tcewin_host_table *table = held[i];
	if (!table->kvm.engine) {
		EXPECT_EQ(rig.host.kvm.put_page(table, random.below(512), block, rw), TCEWIN_NO_WINDOW);
		EXPECT_EQ(rig.host.kvm.clear(table, random.below(512)), TCEWIN_NO_WINDOW);
	}
	say("KVM lets go", {table->info.start});
	const Entered in{rig.host};
	FakeKvm::let_go(table);
	held.erase(i);
}

// Inside of the next ioctl, wherever it lets others run, the guest goes on.
void Storm::expect_meanwhile()
{
	say("a guest goes on inside of the next", {});
	rig.host.meanwhile_context = this;
	rig.host.meanwhile = [](void *context) { static_cast<Storm *>(context)->meanwhile(); };
}

void Storm::meanwhile()
{
	const auto i = static_cast<unsigned>(random.below(rig.pes));
	FakeTable *table = uncertain.size() < 64 ? any_open_table(i) : nullptr;
	if (!table)
		return;
	const u64 entry = random.below(512), ioba = table->start + (entry << table->page_shift);
	say("  meanwhile KVM changes", {i, ioba});
	uncertain.push(ioba);
	const u64 stuck = rig.host.events[TCEWIN_EVENT_STUCK];
	if (random.one_in(2))
		(void)rig.host.kvm.put_page(table->object, entry, any_address(), rw);
	else
		(void)rig.host.kvm.clear(table->object, entry);
	if (rig.host.events[TCEWIN_EVENT_STUCK] != stuck)
		shadow.forget_window(ioba);
}

// Whether it came before the ioctl or after it nobody can say.
void Storm::follow_meanwhile()
{
	for (const u64 ioba : uncertain)
		shadow.forget(ioba);
	uncertain.clear();
	rig.host.meanwhile = nullptr;
}

} // namespace tcewin::test
