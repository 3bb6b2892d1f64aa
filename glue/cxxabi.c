// SPDX-License-Identifier: GPL-2.0-only
/*
 * What compiled C++ calls of the language's own library. A bug of the core's ends the task that came
 * by it, with a line that says which, and writes nothing where it does not belong.
 */
#define pr_fmt(fmt) "tcewin: " fmt
#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/sched.h>
#include "tcewin/cxxabi.h"

void __cxa_pure_virtual(void)
{
	pr_emerg("bug: a pure virtual function is called\n");
	BUG();
}

void __cxa_deleted_virtual(void)
{
	pr_emerg("bug: a deleted virtual function is called\n");
	BUG();
}

void _ZNSt3__122__libcpp_verbose_abortEPKcz(const char *format, ...)
{
	struct va_format line = { .fmt = format };
	va_list args;

	va_start(args, format);
	line.va = &args;
	pr_emerg("bug: %pV\n", &line);
	va_end(args);
	BUG();
}

/* The first byte is the compiler's, which looks there first; the rest is ours. */
struct guard {
	u8 made;
	u8 unused[3];
	atomic_t busy;
};

int __cxa_guard_acquire(unsigned long long *guard)
{
	struct guard *g = (struct guard *)guard;

	BUILD_BUG_ON(sizeof(*g) != sizeof(*guard));
	for (;;) {
		if (smp_load_acquire(&g->made))
			return 0;
		if (!atomic_cmpxchg_acquire(&g->busy, 0, 1))
			break;
		cond_resched();
	}
	if (!g->made)
		return 1;
	atomic_set_release(&g->busy, 0);
	return 0;
}

void __cxa_guard_release(unsigned long long *guard)
{
	struct guard *g = (struct guard *)guard;

	smp_store_release(&g->made, 1);
	atomic_set_release(&g->busy, 0);
}

void __cxa_guard_abort(unsigned long long *guard)
{
	atomic_set_release(&((struct guard *)guard)->busy, 0);
}
