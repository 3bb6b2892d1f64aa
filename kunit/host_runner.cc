// SPDX-License-Identifier: GPL-2.0-only
// Runs the suites in a process of the build machine, under sanitizers, with GoogleTest: each case is one test,
// "suite.case". Takes GoogleTest's own options; --gtest_list_tests is the list.
#include <cstdio>

#include <gtest/gtest.h>

#include "runner.h"

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
