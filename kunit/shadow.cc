// SPDX-License-Identifier: GPL-2.0-only
#include "shadow.hh"

namespace tcewin::test
{

void Shadow::mapped(u64 ioba, u64 address, u64 size, u64 page)
{
	for (u64 at = 0; at < size; at += page) {
		erase(ioba + at);
		ioctls_.put(ioba + at, address + at);
		touched_.put(ioba + at, 0);
	}
}

void Shadow::unmapped(u64 ioba, u64 size, u64 page)
{
	for (u64 at = 0; at < size; at += page) {
		erase(ioba + at);
		touched_.put(ioba + at, 0);
	}
}

void Shadow::erase(u64 ioba)
{
	ioctls_.erase(ioba);
	for (Hash<u64> &kvm : kvms_)
		kvm.erase(ioba);
}

void Shadow::put(unsigned pe, u64 ioba, u64 address)
{
	cleared(pe, ioba);
	kvms_[table_of(pe)].put(ioba, address);
}

// What an ioctl had there ends in every table.
void Shadow::cleared(unsigned pe, u64 ioba)
{
	ioctls_.erase(ioba);
	kvms_[table_of(pe)].erase(ioba);
	touched_.put(ioba, 0);
}

void Shadow::forget(u64 ioba)
{
	ioctls_.put(ioba, unknown);
	for (Hash<u64> &kvm : kvms_)
		kvm.put(ioba, unknown);
	touched_.put(ioba, 0);
}

void Shadow::forget_window(u64 ioba)
{
	for (const FakePe *pe : rig_.host.firmware.pes())
		for (const FakeTable *table : pe->tables)
			if (table->holds(ioba))
				doubtful_.add(table->start, table->start + table->size());
}

void Shadow::window_serves(u64 ioba)
{
	if (!doubtful_.contains(ioba))
		return;
	for (const FakePe *pe : rig_.host.firmware.pes())
		for (const FakeTable *table : pe->tables)
			if (table->holds(ioba))
				doubtful_.remove(table->start, table->start + table->size());
}

void Shadow::window_gone(u64 start, u64 size)
{
	Vector<u64> inside;
	touched_.each([&](u64 ioba, u64) {
		if (ioba - start < size)
			inside.push(ioba);
	});
	for (const u64 ioba : inside) {
		erase(ioba);
		touched_.erase(ioba);
	}
	doubtful_.remove(start, start + size);
}

void Shadow::pe_gone(unsigned pe)
{
	if (!rig_.personality().in_memory())
		kvms_[pe].clear();
}

void Shadow::all_gone()
{
	ioctls_.clear();
	for (Hash<u64> &kvm : kvms_)
		kvm.clear();
	touched_.clear();
	doubtful_.remove(0, ~u64{0});
}

const u64 *Shadow::wanted(unsigned pe, u64 ioba) const
{
	const u64 *kvm = kvms_[table_of(pe)].find(ioba);
	return kvm ? kvm : ioctls_.find(ioba);
}

void Shadow::compare() const
{
	for (unsigned pe = 0; pe < rig_.pes; pe++) {
		if (!rig_.attached[pe])
			continue;
		touched_.each([&](u64 ioba, u64) {
			const u64 *address = wanted(pe, ioba);
			if (rig_.t.failed() || doubtful_.contains(ioba) || (address && *address == unknown))
				return;
			const auto real = address ? rig_.host.memory.real_of(rig_.mm, *address) : std::nullopt;
			const auto read = rig_.reach(ioba, false, pe), written = rig_.reach(ioba, true, pe);
			if (read == real && written == real)
				return;
			Line l;
			l.add("PE ").value(pe).add(" at ").hexadecimal(ioba).add(" reads ").hexadecimal(
				read.value_or(0));
			l.add(" and writes ").hexadecimal(written.value_or(0)).add(", not ");
			rig_.t.fail(__FILE__, __LINE__, l.hexadecimal(real.value_or(0)));
		});
	}
}

} // namespace tcewin::test
