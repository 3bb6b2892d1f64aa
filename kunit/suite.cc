// SPDX-License-Identifier: GPL-2.0-only
#include "suite.hh"

#include <new>

#include "fake_host.hh"

namespace tcewin::test
{

Line &Line::add(const char *text)
{
	while (*text && used_ < sizeof(text_) - 1)
		text_[used_++] = *text++;
	return *this;
}

Line &Line::decimal(u64 value)
{
	char digits[21];
	char *p = &digits[20];
	*p = 0;
	do
		*--p = static_cast<char>('0' + value % 10);
	while (value /= 10);
	return add(p);
}

Line &Line::hexadecimal(u64 value)
{
	char digits[19];
	char *p = &digits[18];
	*p = 0;
	do
		*--p = "0123456789abcdef"[value % 16];
	while (value /= 16);
	*--p = 'x';
	*--p = '0';
	return add(p);
}

Test::Test(tcewin_report *report, Machine machine) : report_{report}, machine_{machine}
{
	host_ = ::new (tcewin_run_alloc(sizeof(FakeHost))) FakeHost{*this};
}

Test::~Test()
{
	host_->finish();
	host_->~FakeHost();
	tcewin_run_free(host_);
}

void Test::fresh_host()
{
	host_->finish();
	host_->~FakeHost();
	host_ = ::new (host_) FakeHost{*this};
}

unsigned Test::rounds(unsigned full) const
{
	const u64 n = u64{full} * tcewin_run_effort() / 100;
	return n ? static_cast<unsigned>(n) : 1;
}

// The first failures say what is wrong, the thousandth of a random case does not.
void Test::fail(const char *file, int line, const Line &what)
{
	if (failures_.fetch_add(1, std::memory_order_relaxed) >= 8)
		return;
	Line l{what};
	for (const Note *n = notes_; n; n = n->outer_)
		l.add("; ").add(n->what_).add(" ").value(n->value_);
	report_->failed(report_, file, line, l.text());
}

void Test::check(bool ok, const char *file, int line, const char *expression)
{
	if (!ok)
		fail(file, line, Line{}.add(expression));
}

} // namespace tcewin::test

using namespace tcewin::test;

extern "C" const tcewin_case *tcewin_case_next(const tcewin_suite *suite, const tcewin_case *previous)
{
	const tcewin_case *next = previous ? previous + 1 : suite->cases;
	return next == suite->cases + suite->count ? nullptr : next;
}

extern "C" const char *tcewin_case_name(const tcewin_case *the_case) { return the_case->name; }

extern "C" void tcewin_case_run(const tcewin_case *the_case, tcewin_report *report)
{
	Test t{report, the_case->machine};
	the_case->body(t);
}
