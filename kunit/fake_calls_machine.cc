// SPDX-License-Identifier: GPL-2.0-only
// host.h's calls on PEs, their windows and tables, for the fake host.
#include "fake_host.hh"

using namespace tcewin::test;

static FakePe *pe_of(void *pe) { return static_cast<FakePe *>(pe); }

extern "C" {

long tcewin_host_put_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.put(liobn, ioba, tce);
}

long tcewin_host_put_tce_indirect(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tces, tcewin_u64 count)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	const auto *words = reinterpret_cast<const u64 *>(tces);
	if (!h.heap.holds(words, 4096) || tces % 4096) {
		h.complaints.add("H_PUT_TCE_INDIRECT with a bad list", tces, count);
		count = 0;
	}
	return h.firmware.put_indirect(liobn, ioba, words, count);
}

long tcewin_host_stuff_tce(tcewin_u32 liobn, tcewin_u64 ioba, tcewin_u64 tce, tcewin_u64 count)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.stuff(liobn, ioba, tce, count);
}

int tcewin_host_platform_take(void *pe, struct tcewin_pe_info *info)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.platform_take(pe_of(pe), info);
}

int tcewin_host_platform_release(void *pe)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.platform_release(pe_of(pe));
}

int tcewin_host_ddw_query(void *pe, struct tcewin_ddw_query *query)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.query(pe_of(pe), query);
}

int tcewin_host_ddw_create(void *pe, tcewin_u32 page_shift, tcewin_u32 window_shift, struct tcewin_ddw_window *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.create(pe_of(pe), page_shift, window_shift, window);
}

int tcewin_host_ddw_remove(void *pe, tcewin_u32 liobn)
{
	FakeHost &h = FakeHost::current();
	int status;
	{
		Entered in{h};
		status = h.firmware.remove(pe_of(pe), liobn);
	}
	if (h.meanwhile)
		h.meanwhile(h.meanwhile_context);
	return status;
}

int tcewin_host_ddw_reset(void *pe)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.firmware.reset(pe_of(pe));
}

int tcewin_host_rtas_wait(int status) { return FakeHost::current().firmware.wait(status); }

struct tcewin_host_table *tcewin_host_table_new(void *mm, struct tcewin_host_lock *lock,
						const struct tcewin_table_info *info)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.ioda.table_new(static_cast<FakeMm *>(mm), lock, *info);
}

void tcewin_host_table_free(struct tcewin_host_table *table)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.ioda.table_free(table);
}

void tcewin_host_table_open(struct tcewin_host_table *table, struct tcewin_table *engine)
{
	FakeHost &h = FakeHost::current();
	h.enter(table->kvm.gate);
	{
		Entered in{h};
		h.kvm.open(table, engine);
	}
	h.leave(table->kvm.gate);
}

void tcewin_host_table_close(struct tcewin_host_table *table)
{
	FakeHost &h = FakeHost::current();
	h.enter(table->kvm.gate);
	{
		Entered in{h};
		h.kvm.close(table);
	}
	h.leave(table->kvm.gate);
}

int tcewin_host_table_settle(struct tcewin_host_table *table, tcewin_u64 entry)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	return h.kvm.settle(table, entry);
}

void tcewin_host_table_settle_rest(struct tcewin_host_table *table)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.kvm.settle_rest(table);
}

int tcewin_host_set_window(void *pe, tcewin_u32 number, struct tcewin_host_table *table)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (pe_of(pe)->personality.in_memory())
		return h.ioda.set_window(pe_of(pe), number, table);
	return h.firmware.set_object(pe_of(pe), number, table);
}

int tcewin_host_unset_window(void *pe, tcewin_u32 number)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (pe_of(pe)->personality.in_memory())
		return h.ioda.unset_window(pe_of(pe), number);
	return h.firmware.set_object(pe_of(pe), number, nullptr);
}

void tcewin_host_invalidate(struct tcewin_host_table *table, tcewin_u64 first, tcewin_u64 count)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.ioda.invalidate(table, first, count);
}

int tcewin_host_window_added(void *pe, const struct tcewin_window_info *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	if (!h.locks.holds(TCEWIN_LOCK_CONTAINER) && !pe_of(pe)->in_hand_over)
		h.complaints.add("tcewin_host_window_added() without the container's lock", window->start);
	return h.firmware.window_added(pe_of(pe), window);
}

void tcewin_host_window_removed(void *pe, const struct tcewin_window_info *window)
{
	FakeHost &h = FakeHost::current();
	Entered in{h};
	h.firmware.window_removed(pe_of(pe), window);
}
}
