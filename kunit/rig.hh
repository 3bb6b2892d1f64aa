// SPDX-License-Identifier: GPL-2.0-only
// A container with one or more PEs on the fake host, as most cases need it: engine.h's verbs, each followed by the
// checks that hold whenever no operation is under way, and questions to ask as a device would. Takes itself down,
// whatever the case did.
#pragma once

#include "fake_host.hh"
#include "suite.hh"

namespace tcewin::test
{

constexpr u64 kib = 1024, mib = 1024 * kib, gib = 1024 * mib, tib = 1024 * gib;
constexpr u32 rw = TCEWIN_READ | TCEWIN_WRITE;

// What the user of a rig has: memory in scattered host pages, in 2 MiB pages, and in one piece.
constexpr u64 scattered = 0x10'0000'0000, scattered_size = 8 * mib;
constexpr u64 huge = 0x20'0000'0000, huge_size = 64 * mib;
constexpr u64 block = 0x30'0000'0000, block_size = 256 * mib;

struct Setup {
	std::optional<Personality> personality{}; // else what the case's machine has
	unsigned pes = 1;
	u32 page_shift = 12; // of the host
	tcewin_container_kind kind = TCEWIN_CONTAINER_V2;
};

class Rig
{
public:
	explicit Rig(Test &t, const Setup &setup = {});
	Rig(const Rig &) = delete;
	~Rig();

	// engine.h's verbs on the one container. It begins with PE number 0; the user has taken all of them.
	int take(unsigned pe);
	int release(unsigned pe) { return done(tcewin_pe_release(this->pe[pe])); }
	int attach(unsigned pe);
	int detach(unsigned pe);
	int add(u64 address, u64 size) { return done(tcewin_register_memory(container, address, size)); }
	int drop(u64 address, u64 size) { return done(tcewin_unregister_memory(container, address, size)); }
	int create(u32 page_shift, u64 size, u32 levels = 1);
	int remove(u64 start) { return done(tcewin_remove_window(container, start)); }
	int map(u64 ioba, u64 address, u64 size, u32 access = rw)
	{
		return done(tcewin_map(container, ioba, address, size, access));
	}
	int enable() { return done(tcewin_enable(container)); }
	int disable() { return done(tcewin_disable(container)); }
	int unmap(u64 ioba, u64 size) { return done(tcewin_unmap(container, ioba, size)); }
	// H_PUT_TCE of KVM's in the default window of PE number @pe: entry @entry becomes the page at user @address, 0
	// clears it. NO_WINDOW where there is no such window, else what the engine says.
	int kvm_put(u64 entry, u64 address, u32 access = rw, unsigned pe = 0);
	// That window's table as KVM has it, or nullptr.
	tcewin_host_table *default_table(unsigned pe = 0) const;
	// The container is one without PEs from here on.
	void retire();
	// Ends everything but the fake; the kernel has its PEs back.
	void close();

	// Every 4 KiB of [ioba, ioba + size) is mapped so, on each attached PE.
	void expect_mapped(u64 ioba, u64 address, u64 size, u32 access = rw);
	void expect_unmapped(u64 ioba, u64 size);
	// Where PE number @pe's device ends up, or nothing.
	std::optional<u64> reach(u64 ioba, bool write, unsigned pe = 0);
	const Personality &personality() const { return fake[0]->personality; }
	// How many entries of all tables are valid, the kernel's own left out.
	u64 valid();
	// Nobody uses a window of PE number @pe: its default window is there, empty, and the kernel knows it.
	bool idle(unsigned i) const { return host.firmware.idle(fake[i]); }
	u64 calls(Point p) const { return host.injector.calls(p); }

	Test &t;
	FakeHost &host;
	FakeMm *mm;
	tcewin_container *container{};
	static constexpr unsigned most = 3;
	FakePe *fake[most]{};
	tcewin_pe *pe[most]{};
	bool attached[most]{};
	unsigned pes;
	u64 start{}; // of the window that was created last

private:
	int done(int status)
	{
		host.settled();
		return status;
	}
};

// Nothing but a host that counts complaints.
struct Bare {
	explicit Bare(Test &test) : t{test}, host{test.host()}, c{host.complaints} { c.only_count(); }
	~Bare()
	{
		host.stuck_is_expected = true;
		c.take();
	}
	Test &t;
	FakeHost &host;
	Complaints &c;
};

// Everything that a failed operation must leave as it was.
class Snapshot
{
public:
	// Whether an empty default window makes a difference. It does not where a fault hit the making or ending of
	// one.
	enum class Spares { count, overlook };
	explicit Snapshot(Rig &rig);
	Snapshot(const Snapshot &) = delete;
	// Fails the case of @t where @o differs.
	void expect_same(Test &t, const Snapshot &o, Spares spares = Spares::count) const;

private:
	struct Fact {
		const char *what;
		u64 value;
		bool of_spare;
	};
	void add(const char *what, u64 value, bool of_spare = false) { facts_.push({what, value, of_spare}); }
	Vector<Fact> facts_;
};

// @act is refused with @status and has changed nothing.
template <class Act>
void expect_refused(Rig &rig, const char *file, int line, int status, Act act)
{
	const Snapshot before{rig};
	const u64 writes = rig.host.firmware.history.size();
	const int got = act();
	if (got != status)
		rig.t.fail(file, line, Line{}.add("refused with ").value(got).add(", not ").value(status));
	if (rig.host.firmware.history.size() != writes)
		rig.t.fail(file, line, Line{}.add("wrote TCEs before it refused"));
	Snapshot{rig}.expect_same(rig.t, before);
}

} // namespace tcewin::test

#define EXPECT_REFUSED(status, call) expect_refused(rig, __FILE__, __LINE__, TCEWIN_##status, [&] { return call; })
