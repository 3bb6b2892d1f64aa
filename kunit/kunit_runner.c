// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs the suites in a kernel that has KUnit: each suite is a kunit_suite and each case a named subtest. Supplies what runner.h asks
 * of a runner. Only tcewin_kunit.ko has this; the engine under test is compiled into it and knows nothing of VFIO.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/random.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "runner.h"

static unsigned int effort = 5;
module_param(effort, uint, 0444);
MODULE_PARM_DESC(effort, "length of random cases, in percent of what they are on the build machine");

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "what random cases begin with; 0: another number in each run");

struct tcewin_run_lock {
	struct rw_semaphore sem;
};

static struct lock_class_key lock_classes[TCEWIN_LOCK_KINDS + 2];
static const char * const lock_names[TCEWIN_LOCK_KINDS + 2] = {
	"tcewin_container", "tcewin_window", "tcewin_fake_host", "tcewin_gate"
};

/* kmalloc() aligns powers of two to their size. A suite has no use for a failure here: the fake host makes its own. */
void *tcewin_run_alloc(size_t bytes)
{
	return kvzalloc(max_t(size_t, bytes, 16), GFP_KERNEL | __GFP_NOFAIL);
}

void tcewin_run_free(void *memory)
{
	kvfree(memory);
}

struct tcewin_run_lock *tcewin_run_lock_new(unsigned int kind)
{
	struct tcewin_run_lock *lock = tcewin_run_alloc(sizeof(*lock));

	__init_rwsem(&lock->sem, lock_names[kind], &lock_classes[kind]);
	return lock;
}

void tcewin_run_lock_free(struct tcewin_run_lock *lock)
{
	kvfree(lock);
}

void tcewin_run_lock_shared(struct tcewin_run_lock *lock)
{
	down_read(&lock->sem);
}

void tcewin_run_unlock_shared(struct tcewin_run_lock *lock)
{
	up_read(&lock->sem);
}

void tcewin_run_lock_exclusive(struct tcewin_run_lock *lock)
{
	down_write(&lock->sem);
}

void tcewin_run_unlock_exclusive(struct tcewin_run_lock *lock)
{
	up_write(&lock->sem);
}

int tcewin_run_lock_try(struct tcewin_run_lock *lock)
{
	return down_write_trylock(&lock->sem);
}

unsigned long tcewin_run_thread(void)
{
	return (unsigned long)current;
}

void tcewin_run_relax(void)
{
	cond_resched();
}

unsigned long tcewin_run_seed(void)
{
	if (!seed) {
		seed = get_random_u32() | 1;
		pr_info("random suites begin with seed=%lu\n", seed);
	}
	return seed;
}

unsigned int tcewin_run_effort(void)
{
	return effort;
}

struct worker {
	void (*body)(void *context, unsigned int thread);
	void *context;
	unsigned int thread;
	struct completion done;
};

static int work(void *data)
{
	struct worker *w = data;

	w->body(w->context, w->thread);
	kthread_complete_and_exit(&w->done, 0);
}

/* A thread that cannot be had has its part done here, after the others were started. */
void tcewin_run_parallel(unsigned int threads, void (*body)(void *context, unsigned int thread), void *context)
{
	struct worker *workers = tcewin_run_alloc(threads * sizeof(*workers));
	unsigned int i;

	for (i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .body = body, .context = context, .thread = i };
		init_completion(&workers[i].done);
		if (IS_ERR(kthread_run(work, &workers[i], "tcewin-kunit/%u", i))) {
			body(context, i);
			complete(&workers[i].done);
		}
	}
	for (i = 0; i < threads; i++)
		wait_for_completion(&workers[i].done);
	kvfree(workers);
}

struct kunit_report {
	struct tcewin_report report;
	struct kunit *test;
};

static void add_failure(struct tcewin_report *report, const char *file, int line, const char *text)
{
	KUNIT_FAIL(container_of(report, struct kunit_report, report)->test, "%s:%d: %s", file, line, text);
}

static void run_case(struct kunit *test)
{
	struct kunit_report report = { .report.failed = add_failure, .test = test };

	tcewin_case_run(test->param_value, &report.report);
}

static const void *next_case(const struct tcewin_suite *suite, const void *previous, char *name)
{
	const struct tcewin_case *next = tcewin_case_next(suite, previous);

	if (next)
		strscpy(name, tcewin_case_name(next), KUNIT_PARAM_DESC_SIZE);
	return next;
}

/* KUnit of Linux 6.18 and later hands the test to the generator; both kinds are here and the compiler takes the one that fits. */
#define GENERATOR_TAKES_TEST						\
	__builtin_types_compatible_p(typeof(((struct kunit_case *)NULL)->generate_params), \
				     const void *(*)(struct kunit *, const void *, char *))

#define SUITE(suite)									\
	static __maybe_unused const void *suite##_next(const void *previous, char *name) \
	{										\
		return next_case(&tcewin_suite_##suite, previous, name);		\
	}										\
	static __maybe_unused const void *suite##_next_of_test(struct kunit *test, const void *previous, char *name) \
	{										\
		return next_case(&tcewin_suite_##suite, previous, name);		\
	}										\
	static struct kunit_case suite##_cases[] = {					\
		{ .run_case = run_case, .name = "case", .module_name = KBUILD_MODNAME,	\
		  .generate_params = __builtin_choose_expr(GENERATOR_TAKES_TEST, suite##_next_of_test, suite##_next) }, \
		{}									\
	};										\
	static struct kunit_suite suite##_suite = { .name = "tcewin_" #suite, .test_cases = suite##_cases }; \
	kunit_test_suite(suite##_suite)
#include "suites.def"
#undef SUITE

MODULE_DESCRIPTION("tcewin: the engine's suites");
MODULE_LICENSE("GPL");
