// SPDX-License-Identifier: GPL-2.0-only
// Runs the suites in a process of the build machine, under sanitizers, with GoogleTest: each case is one test,
// "suite.case". Takes GoogleTest's own options; --gtest_list_tests is the list.
#include <cstdio>
#include <cstdlib>
#include <random>
#include <shared_mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

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

namespace
{

struct Report : tcewin_report {
	Report() : tcewin_report{add_failure} {}
	static void add_failure(tcewin_report *, const char *file, int line, const char *text)
	{
		GTEST_MESSAGE_AT_(file, line, text, testing::TestPartResult::kNonFatalFailure);
	}
};

class CaseTest : public testing::Test
{
public:
	explicit CaseTest(const tcewin_case *the_case) : case_{the_case} {}
	void TestBody() override
	{
		Report report;
		tcewin_case_run(case_, &report);
	}

private:
	const tcewin_case *case_;
};

void add(const tcewin_suite &suite)
{
	const tcewin_case *c = nullptr;
	while ((c = tcewin_case_next(&suite, c)))
		testing::RegisterTest(suite.name, tcewin_case_name(c), nullptr, nullptr, __FILE__, __LINE__,
				      [c] { return static_cast<testing::Test *>(new CaseTest{c}); });
}

} // namespace

int main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
#define SUITE(name) add(tcewin_suite_##name)
#include "suites.def"
#undef SUITE
	if (!testing::GTEST_FLAG(list_tests)) {
		printf("random suites begin with TCEWIN_SEED=%lu\n", tcewin_run_seed());
		fflush(stdout);
	}
	const int result = RUN_ALL_TESTS();
	if (!testing::GTEST_FLAG(list_tests) && !testing::UnitTest::GetInstance()->test_to_run_count()) {
		fprintf(stderr, "no test was run\n");
		return 1;
	}
	return result;
}
