// SPDX-License-Identifier: GPL-2.0-only
#include "rig.hh"

namespace tcewin::test
{

Rig::Rig(Test &test, const Setup &setup) : t{test}, host{test.host()}, mm{host.memory.new_mm()}, pes{setup.pes}
{
	host.memory.page_shift = setup.page_shift;
	host.memory.back(mm, scattered, scattered_size, setup.page_shift);
	host.memory.back(mm, huge, huge_size, 21);
	host.memory.back(mm, block, block_size, 28);
	EXPECT_EQ(tcewin_container_create(mm, setup.kind, &container), TCEWIN_OK);
	const Personality personality = setup.personality.value_or(Personality::of(t.machine()));
	for (unsigned i = 0; i < pes; i++) {
		fake[i] = host.firmware.new_pe(personality);
		host.firmware.give_to_kernel(fake[i]);
		EXPECT_EQ(tcewin_pe_adopt(fake[i], personality.platform, &pe[i]), TCEWIN_OK);
		EXPECT_EQ(take(i), TCEWIN_OK);
	}
	EXPECT_EQ(attach(0), TCEWIN_OK);
}

Rig::~Rig() { close(); }

void Rig::close()
{
	host.injector.disarm();
	for (unsigned i = 0; i < pes; i++)
		if (attached[i] && !host.stuck_is_expected)
			EXPECT_EQ(detach(i), TCEWIN_OK);
		else if (attached[i])
			(void)detach(i);
	if (container)
		tcewin_container_destroy(container);
	for (unsigned i = 0; i < pes; i++) {
		const bool gone = tcewin_pe_owner(pe[i]) == TCEWIN_OWNER_QUARANTINED;
		EXPECT_EQ(tcewin_pe_release(pe[i]), gone ? TCEWIN_QUARANTINED : TCEWIN_OK);
		tcewin_pe_destroy(pe[i]);
	}
	container = nullptr;
	pes = 0;
}

int Rig::take(unsigned i)
{
	fake[i]->in_hand_over = true;
	const int status = done(tcewin_pe_take(pe[i]));
	fake[i]->in_hand_over = false;
	return status;
}

void Rig::retire()
{
	tcewin_container_retire(container);
	for (bool &a : attached)
		a = false;
	host.settled();
}

tcewin_host_table *Rig::default_table(unsigned i) const
{
	for (const FakeTable *table : fake[i]->tables)
		if (table->start == personality().default_start && table->object)
			return table->object;
	return nullptr;
}

int Rig::kvm_put(u64 entry, u64 address, u32 access, unsigned i)
{
	tcewin_host_table *table = default_table(i);
	if (!table)
		return TCEWIN_NO_WINDOW;
	return done(address ? host.kvm.put_page(table, entry, address, access) : host.kvm.clear(table, entry));
}

int Rig::attach(unsigned i)
{
	const int status = done(tcewin_container_attach(container, pe[i]));
	attached[i] = status == TCEWIN_OK;
	return status;
}

int Rig::detach(unsigned i)
{
	attached[i] = false;
	return done(tcewin_container_detach(container, pe[i]));
}

int Rig::create(u32 page_shift, u64 size, u32 levels)
{
	return done(tcewin_create_window(container, page_shift, size, levels, &start));
}

std::optional<u64> Rig::reach(u64 ioba, bool write, unsigned i)
{
	return host.firmware.device_access(fake[i], ioba, write);
}

void Rig::expect_mapped(u64 ioba, u64 address, u64 size, u32 access)
{
	for (unsigned i = 0; i < pes; i++)
		for (u64 at = 0; attached[i] && at < size; at += 4 * kib) {
			const auto real = host.memory.real_of(mm, address + at);
			// on IODA2 what may write may read
			if (access & TCEWIN_WRITE && personality().in_memory())
				access |= TCEWIN_READ;
			const auto read = reach(ioba + at, false, i), written = reach(ioba + at, true, i);
			const bool right = read == (access & TCEWIN_READ ? real : std::nullopt) &&
					   written == (access & TCEWIN_WRITE ? real : std::nullopt);
			if (right)
				continue;
			Line l;
			l.add("PE ").value(i).add(" at ").hexadecimal(ioba + at).add(" reads ").hexadecimal(
				read.value_or(0));
			l.add(" and writes ").hexadecimal(written.value_or(0)).add(", not ").hexadecimal(*real);
			t.fail(__FILE__, __LINE__, l);
			return;
		}
}

void Rig::expect_unmapped(u64 ioba, u64 size)
{
	for (unsigned i = 0; i < pes; i++)
		for (u64 at = 0; attached[i] && at < size; at += 4 * kib)
			if (reach(ioba + at, false, i) || reach(ioba + at, true, i)) {
				t.fail(__FILE__, __LINE__,
				       Line{}.add("PE ").value(i).add(" reaches ").hexadecimal(ioba + at));
				return;
			}
}

u64 Rig::valid()
{
	u64 n = 0;
	for (const FakePe *p : host.firmware.pes())
		for (const FakeTable *table : p->tables)
			if (!p->kernels)
				table->words->each([&](u64, u64) { n++; });
	return n;
}

Snapshot::Snapshot(Rig &rig)
{
	for (FakePe *p : rig.host.firmware.pes()) {
		add("PE", p->liobn_base);
		p->tables.sort([](const FakeTable *table) { return table->start; });
		for (const FakeTable *table : p->tables) {
			const bool spare = table->is_default && table->words->empty();
			add("window start", table->start, spare);
			add("window size", table->size(), spare);
			add("page shift", table->page_shift, spare);
			Vector<Fact> words;
			table->words->each([&](u64 index, u64 word) {
				words.push({reinterpret_cast<const char *>(index), word, false});
			});
			words.sort([](const Fact &f) { return reinterpret_cast<u64>(f.what); });
			for (const Fact &f : words) {
				add("index", reinterpret_cast<u64>(f.what));
				add("word", f.value);
			}
		}
	}
	add("locked memory", rig.mm->locked);
	add("charged memory", rig.mm->charged);
	add("levels of tables", rig.host.levels.bytes());
	for (const FakePin *pin : rig.mm->pins) {
		add("pinned at", pin->address);
		add("pinned bytes", pin->size);
	}
	add("allocations", rig.host.heap.count());
	add("tables in memory", rig.host.ioda.count());
}

void Snapshot::expect_same(Test &t, const Snapshot &o, Spares spares) const
{
	const Fact none{"nothing", 0, false};
	const auto next = [&](const Vector<Fact> &facts, u64 &i) -> const Fact & {
		while (spares == Spares::overlook && i < facts.size() && facts[i].of_spare)
			i++;
		return i < facts.size() ? facts[i++] : none;
	};
	for (u64 i = 0, j = 0; i < facts_.size() || j < o.facts_.size();) {
		const Fact &a = next(facts_, i), &b = next(o.facts_, j);
		if (a.what == b.what && a.value == b.value)
			continue;
		Line l;
		l.add("state differs: ").add(a.what).add(" ").hexadecimal(a.value);
		t.fail(__FILE__, __LINE__, l.add(", before ").add(b.what).add(" ").hexadecimal(b.value));
		return;
	}
}

} // namespace tcewin::test
