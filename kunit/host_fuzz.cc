// SPDX-License-Identifier: GPL-2.0-only
// libFuzzer on the engine's C boundary: the input is what a user, a guest and an unkind host do one after the other, on
// a kind of PE that its first bytes choose (storm.hh). A finding is what the fakes complain of, an answer that the
// contract has not, an entry that is not as it should be, or a sanitizer's.
#include <cstdio>
#include <cstdlib>

#include "storm.hh"
#include "sweep.hh"

using namespace tcewin::test;

namespace
{

std::span<const unsigned char> input;

struct Kind {
	Personality personality;
	tcewin_container_kind container = TCEWIN_CONTAINER_V2;
};

Kind kind(u64 number)
{
	Personality one_by_one = Personality::qemu();
	one_by_one.batches = false;
	const Kind kinds[] = {
		{Personality::qemu()},
		{Personality::ioda2()},
		{Personality::powervm()},
		{Personality::powervm_vf()},
		{Personality::powervm_vf_above_4g()},
		{Personality::without_ddw(), TCEWIN_CONTAINER_V2_ANY_PE},
		{one_by_one},
		{Personality::qemu(), TCEWIN_CONTAINER_V1},
		{Personality::without_ddw(), TCEWIN_CONTAINER_V1},
		{Personality::ioda2(), TCEWIN_CONTAINER_V1},
	};
	return kinds[number % (sizeof(kinds) / sizeof(kinds[0]))];
}

void history(Test &t)
{
	Random choices{input};
	Kind k = kind(choices.below(256));
	k.personality = with_small_default(k.personality);
	const auto pes = static_cast<unsigned>(choices.below(Rig::most) + 1);
	t.host().memory.to_file = choices.one_in(2);
	Successes done{};
	Storm storm{
		t, {.personality = k.personality, .pes = pes, .kind = k.container}, choices, done, Storm::Calls::all};
	if (getenv("TCEWIN_TRACE"))
		storm.trace = [](const Line &call) { fprintf(stderr, "%s\n", call.text()); };
	storm.run(1000);
}

[[noreturn]] void failed(tcewin_report *, const char *file, int line, const char *text)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, text);
	abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static constexpr tcewin_case the_case{"history", history};
	tcewin_report report{failed};
	input = {data, size};
	tcewin_case_run(&the_case, &report);
	return 0;
}
