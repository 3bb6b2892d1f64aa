// SPDX-License-Identifier: GPL-2.0-only
// What runner.h wants of a runner, in a process of the build machine.
#include <cstdlib>
#include <cstring>
#include <random>
#include <shared_mutex>
#include <thread>
#include <vector>

#include "runner.h"

struct tcewin_run_lock {
	std::shared_mutex mutex;
};

extern "C" {

void *tcewin_run_alloc(size_t bytes)
{
	const size_t alignment = bytes >= 16 && bytes <= 4096 && !(bytes & (bytes - 1)) ? bytes : 16;
	void *memory = nullptr;
	if (posix_memalign(&memory, alignment, bytes ? bytes : 1))
		abort();
	return memset(memory, 0, bytes);
}

void tcewin_run_free(void *memory) { free(memory); }

struct tcewin_run_lock *tcewin_run_lock_new(unsigned int) { return new tcewin_run_lock; }
void tcewin_run_lock_free(struct tcewin_run_lock *lock) { delete lock; }
void tcewin_run_lock_shared(struct tcewin_run_lock *lock) { lock->mutex.lock_shared(); }
void tcewin_run_unlock_shared(struct tcewin_run_lock *lock) { lock->mutex.unlock_shared(); }
void tcewin_run_lock_exclusive(struct tcewin_run_lock *lock) { lock->mutex.lock(); }
void tcewin_run_unlock_exclusive(struct tcewin_run_lock *lock) { lock->mutex.unlock(); }
int tcewin_run_lock_try(struct tcewin_run_lock *lock) { return lock->mutex.try_lock(); }

unsigned long tcewin_run_thread(void)
{
	static thread_local char self;
	return reinterpret_cast<unsigned long>(&self);
}

void tcewin_run_relax(void) { std::this_thread::yield(); }

void tcewin_run_parallel(unsigned int threads, void (*body)(void *context, unsigned int thread), void *context)
{
	std::vector<std::thread> all;
	all.reserve(threads);
	for (unsigned int i = 0; i < threads; i++)
		all.emplace_back(body, context, i);
	for (std::thread &t : all)
		t.join();
}

unsigned long tcewin_run_seed(void)
{
	static const unsigned long seed = [] {
		const char *asked = getenv("TCEWIN_SEED");
		return asked ? strtoul(asked, nullptr, 0) : std::random_device{}();
	}();
	return seed;
}

unsigned int tcewin_run_effort(void)
{
	const char *percent = getenv("TCEWIN_EFFORT");
	return percent ? static_cast<unsigned int>(atoi(percent)) : 100;
}
}
