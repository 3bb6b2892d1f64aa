// SPDX-License-Identifier: GPL-2.0-only
// Everything goes wrong at once and stays so for a while: several calls of host.h fail from now on, firmware puts
// windows where it likes and names them as it likes, and the weather changes every few steps. Whatever is answered, no
// device reaches memory that is not pinned, every entry is what the answers say of it, and the answer is one of those
// that the contract has. What happens is chosen by a seed (suites/storm.cc) or by a fuzzer (host_fuzz.cc).
#pragma once

#include <initializer_list>

#include "random.hh"
#include "rig.hh"
#include "shadow.hh"

namespace tcewin::test
{

// How often each call did what it was asked to.
struct Successes {
	u64 map, unmap, memory, create, remove, attach, detach, put;
	// In a v1 container there is no more than this.
	bool some_in_v1() const { return map && unmap && attach && detach; }
	bool some_of_each() const { return some_in_v1() && memory && create && remove && put; }
};

class Storm
{
public:
	// Which calls there are. A seed keeps its meaning only as long as nothing is added to the first.
	enum class Calls { old, all };
	Storm(Test &test, const Setup &setup, Random choices, Successes &counts, Calls which = Calls::old);
	Storm(const Storm &) = delete;
	// Is told of each call before it is made, and of its answer, if there is one.
	void (*trace)(const Line &call){};
	// The user is gone, while it still storms.
	~Storm();

	// At most so many steps, as long as there is a choice to make.
	void run(unsigned steps);

private:
	// ---- the weather ----

	void weather();
	void blow();
	void odd_firmware(FakePe &pe);
	void limit_memory();
	bool calm() const { return !rig.host.injector.any_hit() && !odd; }

	// ---- what the user does ----

	struct Place {
		u64 start;
		u32 shift;
	};
	void step();
	void another_step();
	void say(const char *call, std::initializer_list<u64> numbers) const;
	template <class... S>
	bool verdict(const char *call, int status, S... refusals);
	void stuck_at(u64 ioba, int status);
	Place any_place();
	u64 page_at(u64 ioba) const;
	u64 any_address();
	u64 any_count() { return random.one_in(2) ? 1 : random.small(600); }
	void map();
	void unmap();
	void memory();
	void enable();
	void create();
	void remove();
	void come_or_go(unsigned pe);
	void come(unsigned pe);
	void leave(unsigned pe);
	void hand_over(unsigned pe);

	// ---- what a guest does ----

	FakeTable *any_open_table(unsigned pe);
	void kvm();
	void kvm_at(unsigned pe, FakeTable &table);
	void hold();
	void kvm_held();
	void expect_meanwhile();
	void meanwhile();
	void follow_meanwhile();

	Test &t;
	Rig rig;
	Random random;
	Shadow shadow;
	Vector<Place> made;
	Vector<tcewin_host_table *> held; // by KVM, whatever becomes of them
	Vector<u64> uncertain;		  // what a guest has changed inside of an ioctl
	Successes &done;
	const Calls calls;
	const bool v1;
	bool told{}; // by attach or detach, that something is stuck
	bool odd{};  // firmware or the limit has been unkind
};

} // namespace tcewin::test
