// SPDX-License-Identifier: GPL-2.0-only
// What no case can come back from: the engine's containers used as they never may be end the task, with a line that
// says where.
#include "suite.hh"
#undef EXPECT_EQ
#undef ASSERT_EQ

#include <gtest/gtest.h>

#include "memory.hh"

namespace tcewin
{
namespace
{

void index_past_the_end(test::Test &)
{
	Vec<int> v;
	ASSERT_TRUE(v.reserve(4));
	v.push(1);
	EXPECT_EQ(v[0], 1);
	EXPECT_DEATH((void)v[1], "span:[0-9]+: assertion .* failed");
}

TEST(Hardening, IndexPastTheEnd)
{
	static constexpr tcewin_case the_case{"index", index_past_the_end};
	tcewin_report report{[](tcewin_report *, const char *, int, const char *text) { ADD_FAILURE() << text; }};
	tcewin_case_run(&the_case, &report);
}

TEST(Hardening, NoValue)
{
	const Result<int> r = fail(TCEWIN_NO_MEMORY);
	EXPECT_DEATH((void)*r, "expected.h:[0-9]+: assertion .* failed");
}

} // namespace
} // namespace tcewin
