/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the suites, written once in C++, and the runner that runs them: kunit_runner.c in a kernel, host_runner.cc in a process.
 * The first part is what a runner supplies, the second what it calls. The object check of the build reads the list from here.
 */
#ifndef TCEWIN_KUNIT_RUNNER_H
#define TCEWIN_KUNIT_RUNNER_H

#include "tcewin/host.h"

/* Where a case tells its failures; a runner embeds it. @line is 0 when the fake host found a broken rule. */
struct tcewin_report {
	void (*failed)(struct tcewin_report *report, const char *file, int line, const char *text);
};

struct tcewin_run_lock;
struct tcewin_case;
struct tcewin_suite {
	const char *name;
	const struct tcewin_case *cases;
	unsigned int count;
};

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a runner supplies ---- */

/* Zeroed, aligned as tcewin_host_alloc() promises, never NULL. */
void *tcewin_run_alloc(size_t bytes);
void tcewin_run_free(void *memory);

/* A sleeping reader-writer lock; each @kind (0 to TCEWIN_LOCK_KINDS + 1, the last are the fake's own and a gate) is one class to lockdep. */
struct tcewin_run_lock *tcewin_run_lock_new(unsigned int kind);
void tcewin_run_lock_free(struct tcewin_run_lock *lock);
void tcewin_run_lock_shared(struct tcewin_run_lock *lock);
void tcewin_run_unlock_shared(struct tcewin_run_lock *lock);
void tcewin_run_lock_exclusive(struct tcewin_run_lock *lock);
void tcewin_run_unlock_exclusive(struct tcewin_run_lock *lock);
/* Takes it exclusively if nobody has it: nonzero. */
int tcewin_run_lock_try(struct tcewin_run_lock *lock);

/* A name of the calling thread, never 0. */
unsigned long tcewin_run_thread(void);
/* Lets other threads run. */
void tcewin_run_relax(void);
/* Calls body(context, 0) to body(context, threads - 1), each in a thread of its own, and returns when all have. */
void tcewin_run_parallel(unsigned int threads, void (*body)(void *context, unsigned int thread), void *context);
/* Random cases begin with this number, another one in each run; the runner tells it and takes it back to do a run again. */
unsigned long tcewin_run_seed(void);
/* How long random cases may be, in percent of what they are on the host lane. */
unsigned int tcewin_run_effort(void);

/* ---- a runner calls ---- */

/* The case behind @previous (NULL: the first) or NULL. */
const struct tcewin_case *tcewin_case_next(const struct tcewin_suite *suite, const struct tcewin_case *previous);
const char *tcewin_case_name(const struct tcewin_case *the_case);
/* Runs one case on a fake host of its own and checks that it leaves nothing behind. One at a time. */
void tcewin_case_run(const struct tcewin_case *the_case, struct tcewin_report *report);

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
#define SUITE(name) extern "C" const struct tcewin_suite tcewin_suite_##name
#else
#define SUITE(name) extern const struct tcewin_suite tcewin_suite_##name
#endif
#include "suites.def"
#undef SUITE

#endif
