// SPDX-License-Identifier: GPL-2.0-only
// Storms that a seed has chosen, on every kind of PE.
#include "storm.hh"
#include "sweep.hh"

using namespace tcewin::test;

namespace
{

// A storm in which nothing works shows nothing: a few histories may do without a call that seldom succeeds, so there
// are more then.
void storms(Test &t, const Setup &one, std::span<const u64> corpus, Storm::Calls calls,
	    bool (Successes::*enough)() const)
{
	constexpr unsigned most = 1000;
	Successes done{};
	Setup setup = one;
	const auto storm = [&](u64 seed) { Storm{t, setup, Random{seed}, done, calls}.run(200); };
	const unsigned fresh = t.rounds(150);
	for (setup.pes = 1; setup.pes <= Rig::most && !t.failed(); setup.pes++) {
		Note at{t, "PEs", setup.pes};
		each_seed(t, corpus, fresh, storm);
	}
	setup.pes = Rig::most;
	for (unsigned more = 0; more < most && !(done.*enough)() && !t.failed(); more++)
		one_seed(t, tcewin_run_seed() + fresh + more, storm);
	EXPECT((done.*enough)());
}

constexpr u64 once_red[] = {60, 73, 74, 0x131, 0xf1d71a3c};

void storm(Test &t, Personality p, tcewin_container_kind kind = TCEWIN_CONTAINER_V2)
{
	const Setup setup{.personality = with_small_default(p), .kind = kind};
	for (const auto calls : {Storm::Calls::old, Storm::Calls::all}) {
		const bool old = calls == Storm::Calls::old;
		Note at{t, "calls", old ? 0u : 1u};
		storms(t, setup, old ? std::span<const u64>{once_red} : std::span<const u64>{}, calls,
		       &Successes::some_of_each);
	}
}

void v1_of(Test &t, Personality p)
{
	storms(t, {.personality = with_small_default(p), .kind = TCEWIN_CONTAINER_V1}, {}, Storm::Calls::all,
	       &Successes::some_in_v1);
}

void qemu(Test &t) { storm(t, Personality::qemu()); }
void powervm(Test &t) { storm(t, Personality::powervm()); }
void vf(Test &t) { storm(t, Personality::powervm_vf()); }
void vf_above_4g(Test &t) { storm(t, Personality::powervm_vf_above_4g()); }
void ioda2(Test &t) { storm(t, Personality::ioda2()); }
void borrowed(Test &t) { storm(t, Personality::without_ddw(), TCEWIN_CONTAINER_V2_ANY_PE); }

void v1(Test &t) { v1_of(t, Personality::qemu()); }
void v1_borrowed(Test &t) { v1_of(t, Personality::without_ddw()); }
void v1_on_ioda2(Test &t) { v1_of(t, Personality::ioda2()); }

constexpr tcewin_case cases[] = {
	CASE(qemu),	CASE(powervm), CASE(vf),	  CASE(vf_above_4g),	      CASE_ON_IODA2(ioda2),
	CASE(borrowed), CASE(v1),      CASE(v1_borrowed), CASE_ON_IODA2(v1_on_ioda2),
};

} // namespace

TCEWIN_SUITE(storm, cases);
