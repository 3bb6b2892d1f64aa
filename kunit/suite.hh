// SPDX-License-Identifier: GPL-2.0-only
// What a suite is written with: a case is `void name(Test &t)`, checks go through EXPECT, EXPECT_EQ and ASSERT, which
// print file, line, both values and where in a sweep the case was. Used by suites/ and the fake host; knows nothing of
// the runner.
#pragma once

#include <atomic>
#include <concepts>
#include <type_traits>

#include "runner.h"

namespace tcewin::test
{

using u32 = tcewin_u32;
using u64 = tcewin_u64;

class FakeHost;

// Whose windows a case is about: made by firmware (pSeries), or tables in our memory (PowerNV).
enum class Machine { lpar, ioda2 };

// One line of output, cut when it is full.
class Line
{
public:
	Line &add(const char *text);
	Line &decimal(u64 value);
	Line &hexadecimal(u64 value);
	template <class T>
	Line &value(const T &v)
	{
		if constexpr (std::same_as<T, bool>)
			return add(v ? "true" : "false");
		else if constexpr (std::is_enum_v<T>)
			return value(static_cast<std::underlying_type_t<T>>(v));
		else if constexpr (std::is_pointer_v<T>)
			return hexadecimal(reinterpret_cast<u64>(v));
		else if constexpr (std::is_null_pointer_v<T>)
			return add("nullptr");
		else if (v < T{0})
			return add("-").decimal(0 - static_cast<u64>(v));
		else
			return v < T(100) ? decimal(static_cast<u64>(v)) : hexadecimal(static_cast<u64>(v));
	}
	const char *text() const { return text_; }

private:
	char text_[320]{};
	unsigned used_{};
};

class Test
{
public:
	explicit Test(tcewin_report *report, Machine machine = Machine::lpar);
	Test(const Test &) = delete;
	// Checks that nothing is left on the fake host.
	~Test();

	// What this case runs on, where it runs on more than one.
	Machine machine() const { return machine_; }
	// The fake host of this case.
	FakeHost &host() { return *host_; }
	// Checks that nothing is left on it and begins with another one.
	void fresh_host();

	bool failed() const { return failures_.load(std::memory_order_relaxed) != 0; }
	// A part of a case of @full rounds that fits the runner; at least one.
	unsigned rounds(unsigned full) const;
	// The runner wants everything; where not, a case may leave out what is much like the rest.
	bool thorough() const { return tcewin_run_effort() >= 100; }

	void fail(const char *file, int line, const Line &what);
	void check(bool ok, const char *file, int line, const char *expression);
	template <class A, class B>
	bool check_equal(const A &a, const B &b, const char *file, int line, const char *ea, const char *eb)
	{
		if (same(a, b))
			return true;
		Line l;
		l.add(ea).add(" is ").value(a).add(", not ").value(b).add(" (").add(eb).add(")");
		fail(file, line, l);
		return false;
	}

private:
	friend class Note;
	template <class A, class B>
	static bool same(const A &a, const B &b)
	{
		if constexpr (std::integral<A> && std::integral<B>)
			return static_cast<u64>(a) == static_cast<u64>(b) && (a < A{0}) == (b < B{0});
		else
			return a == b;
	}

	tcewin_report *report_;
	const Machine machine_;
	FakeHost *host_{};
	const class Note *notes_{};
	std::atomic<unsigned> failures_{};
};

// Says in every failure while it lives where the case is: "k 17".
class Note
{
public:
	Note(Test &t, const char *what, u64 value) : test_{t}, outer_{t.notes_}, what_{what}, value_{value}
	{
		t.notes_ = this;
	}
	Note(const Note &) = delete;
	~Note() { test_.notes_ = outer_; }
	void set(u64 value) { value_ = value; }

private:
	friend class Test;
	Test &test_;
	const Note *outer_;
	const char *what_;
	u64 value_;
};

} // namespace tcewin::test

struct tcewin_case {
	const char *name;
	void (*body)(tcewin::test::Test &t);
	tcewin::test::Machine machine = tcewin::test::Machine::lpar;
};

#define CASE(function) {#function, function}
// Once on each machine, as FUNCTION and FUNCTION_ioda2.
#define CASE_ON_BOTH(function) {#function, function}, {#function "_ioda2", function, tcewin::test::Machine::ioda2}
#define CASE_ON_IODA2(function) {#function, function, tcewin::test::Machine::ioda2}
#define TCEWIN_SUITE(name, cases)                                                                                      \
	extern "C" constinit const tcewin_suite tcewin_suite_##name { #name, cases, sizeof(cases) / sizeof((cases)[0]) }

#define EXPECT(...) t.check(static_cast<bool>(__VA_ARGS__), __FILE__, __LINE__, #__VA_ARGS__)
#define EXPECT_EQ(a, b) t.check_equal((a), (b), __FILE__, __LINE__, #a, #b)
// Ends the case: for what makes the rest of it pointless.
#define ASSERT(...)                                                                                                    \
	do {                                                                                                           \
		if (!(__VA_ARGS__)) {                                                                                  \
			t.check(false, __FILE__, __LINE__, #__VA_ARGS__);                                              \
			return;                                                                                        \
		}                                                                                                      \
	} while (0)
#define ASSERT_EQ(a, b)                                                                                                \
	do {                                                                                                           \
		if (!EXPECT_EQ(a, b))                                                                                  \
			return;                                                                                        \
	} while (0)
