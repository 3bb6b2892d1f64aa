// SPDX-License-Identifier: GPL-2.0-only
// The engine's C interface (tcewin/engine.h): numbers become types on the way in, a Result becomes a status on the way
// out. What KVM calls is in window_exchange.cc.
#include "container.hh"

using namespace tcewin;

struct tcewin_pe : Pe {
	using Pe::Pe;
};
struct tcewin_container : Container {
	using Container::Container;
};

int tcewin_pe_create(void *host, tcewin_platform platform, const tcewin_pe_info *info, tcewin_pe **pe)
{
	auto made = make<tcewin_pe>(host, platform, *info, TCEWIN_OWNER_USER);
	return to_status(made.transform([&](Owned<tcewin_pe> &p) { *pe = p.release(); }));
}

int tcewin_pe_adopt(void *host, tcewin_platform platform, tcewin_pe **pe)
{
	auto made = make<tcewin_pe>(host, platform, tcewin_pe_info{}, TCEWIN_OWNER_KERNEL);
	return to_status(made.transform([&](Owned<tcewin_pe> &p) { *pe = p.release(); }));
}

int tcewin_pe_take(tcewin_pe *pe) { return to_status(pe->take()); }

int tcewin_pe_release(tcewin_pe *pe) { return to_status(pe->release()); }

int tcewin_pe_recover(tcewin_pe *pe) { return to_status(pe->recover()); }

tcewin_owner tcewin_pe_owner(const tcewin_pe *pe) { return pe->owner(); }

int tcewin_pe_open_window(tcewin_pe *pe, u32 page_shift, u64 size, u32 levels, tcewin_window_info *window)
{
	return to_status(pe->open(page_shift, Bytes{size}, levels).transform([&](const tcewin_window_info &made) {
		*window = made;
	}));
}

int tcewin_pe_close_window(tcewin_pe *pe, const tcewin_window_info *window)
{
	return to_status(pe->close(Liobn{window->liobn}));
}

void tcewin_pe_destroy(tcewin_pe *pe) { Owned<tcewin_pe>{pe}.reset(); }

int tcewin_container_create(void *mm, tcewin_container_kind kind, tcewin_container **container)
{
	tcewin_host_lock *lock = tcewin_host_lock_new(TCEWIN_LOCK_CONTAINER);
	if (!lock)
		return TCEWIN_NO_MEMORY;
	auto made = make<tcewin_container>(mm, kind, lock);
	if (!made)
		tcewin_host_lock_free(lock);
	return to_status(made.transform([&](Owned<tcewin_container> &c) { *container = c.release(); }));
}

void tcewin_container_destroy(tcewin_container *container) { Owned<tcewin_container>{container}.reset(); }

int tcewin_container_attach(tcewin_container *container, tcewin_pe *pe) { return to_status(container->attach(*pe)); }

int tcewin_container_detach(tcewin_container *container, tcewin_pe *pe) { return to_status(container->detach(*pe)); }

void tcewin_container_retire(tcewin_container *container) { container->retire(); }

int tcewin_container_get_info(tcewin_container *container, tcewin_container_info *info)
{
	return to_status(container->info().transform([&](const tcewin_container_info &i) { *info = i; }));
}

int tcewin_register_memory(tcewin_container *container, u64 address, u64 size)
{
	return to_status(container->register_memory(UserVa{address}, Bytes{size}));
}

int tcewin_unregister_memory(tcewin_container *container, u64 address, u64 size)
{
	return to_status(container->unregister_memory(UserVa{address}, Bytes{size}));
}

int tcewin_create_window(tcewin_container *container, u32 page_shift, u64 size, u32 levels, u64 *start)
{
	return to_status(container->create_window(page_shift, Bytes{size}, levels).transform([&](Ioba at) {
		*start = at.raw();
	}));
}

int tcewin_remove_window(tcewin_container *container, u64 start)
{
	return to_status(container->remove_window(Ioba{start}));
}

int tcewin_enable(tcewin_container *container) { return to_status(container->enable()); }

int tcewin_disable(tcewin_container *container) { return to_status(container->disable()); }

int tcewin_map(tcewin_container *container, u64 ioba, u64 address, u64 size, u32 access)
{
	const auto how = static_cast<Access>(access & (TCEWIN_READ | TCEWIN_WRITE));
	return to_status(container->map(Ioba{ioba}, UserVa{address}, Bytes{size}, how));
}

int tcewin_unmap(tcewin_container *container, u64 ioba, u64 size)
{
	return to_status(container->unmap(Ioba{ioba}, Bytes{size}));
}
