// SPDX-License-Identifier: GPL-2.0-only
// Storms that a seed has chosen, on every kind of PE.
#include "storm.hh"
#include "sweep.hh"

using namespace tcewin::test;

namespace
{

void storm(Test &t, Personality p, std::span<const u64> corpus, tcewin_container_kind kind = TCEWIN_CONTAINER_V2)
{
	Successes done{};
	for (unsigned pes = 1; pes <= Rig::most && !t.failed(); pes++) {
		Note at{t, "PEs", pes};
		each_seed(t, corpus, t.rounds(300), [&](u64 seed) {
			Storm{t, {.personality = with_small_default(p), .pes = pes, .kind = kind}, Random{seed}, done}
				.run(200);
		});
	}
	// a storm in which nothing works shows nothing
	EXPECT(done.map && done.unmap && done.memory && done.remove && done.attach && done.detach && done.put);
	EXPECT(done.create);
}

constexpr u64 once_red[] = {60, 73, 74, 0x131, 0xf1d71a3c};

void qemu(Test &t) { storm(t, Personality::qemu(), once_red); }
void powervm(Test &t) { storm(t, Personality::powervm(), once_red); }
void vf(Test &t) { storm(t, Personality::powervm_vf(), once_red); }
void vf_above_4g(Test &t) { storm(t, Personality::powervm_vf_above_4g(), once_red); }
void ioda2(Test &t) { storm(t, Personality::ioda2(), once_red); }
void borrowed(Test &t) { storm(t, Personality::without_ddw(), once_red, TCEWIN_CONTAINER_V2_ANY_PE); }

constexpr tcewin_case cases[] = {
	CASE(qemu), CASE(powervm), CASE(vf), CASE(vf_above_4g), CASE_ON_IODA2(ioda2), CASE(borrowed),
};

} // namespace

TCEWIN_SUITE(storm, cases);
