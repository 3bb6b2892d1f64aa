// SPDX-License-Identifier: GPL-2.0-only
// One table of a window, the kernel's object for it, and what others than the container's ioctls have put into it. On
// IODA2 all PEs of the window have the same one. Owned by Window.
#pragma once

#include "foreign.hh"
#include "ledger.hh"
#include "marks.hh"
#include "table.hh"

namespace tcewin
{

class Window;

// The kernel's object of one table.
class HostTable
{
public:
	// NO_MEMORY.
	static Result<HostTable> create(const Window &window, void *mm, const tcewin_table_info &info);
	HostTable(HostTable &&o) noexcept : table_{std::exchange(o.table_, nullptr)} {}
	HostTable &operator=(HostTable &&) = delete;
	~HostTable()
	{
		if (table_)
			tcewin_host_table_free(table_);
	}
	tcewin_host_table *get() const { return table_; }

private:
	explicit HostTable(tcewin_host_table *table) : table_{table} {}
	tcewin_host_table *table_;
};

// What a table translates, beside what its window's books say.
enum class Health {
	sound, // the same
	stuck, // something else where it could not be written back, until it is emptied or taken away
	lost,  // a PE that has left the container reaches what it translates, and nothing can be done about that
};

struct WindowTable {
	// In our memory: at least @levels levels, charged to @payer, the first one only if @first says so. BAD_LEVELS,
	// NO_MEMORY.
	static Result<Owned<WindowTable>> in_memory(Window &window, void *mm, void *payer, u32 levels,
						    LevelTree::Root first);
	// The hypervisor has it, and @charge is for what that takes. NO_MEMORY.
	static Result<Owned<WindowTable>> of_firmware(Window &window, void *mm, void *payer, Liobn liobn,
						      const Table &table, Charge charge);

	WindowTable(Window &w, void *payer, Owned<LevelTree> t, HostTable h, const Table &b, Charge c)
		: window{w}, tree{std::move(t)}, host{std::move(h)}, backend{b}, charge{std::move(c)}, foreign{payer}
	{
	}
	WindowTable(const WindowTable &) = delete;

	// Others may change entries from now on / may not, nor are they about to.
	void open() { tcewin_host_table_open(host.get(), reinterpret_cast<tcewin_table *>(this)); }
	void close() { tcewin_host_table_close(host.get()); }
	// A device could write by @word, which leads to registered memory, and cannot any more. The second does not
	// sleep.
	void dirty(Tce word) const;
	void dirty_now(Tce word) const;
	// Entry @i becomes @word, empty or not. FIRMWARE_ERROR. Does not sleep.
	[[gnu::always_inline]] Result<> set_now(TceIndex i, Tce word)
	{
		return backend.visit_here([&](auto &b) __attribute__((always_inline)) -> Result<> {
			TRY(b.set_now(i, word));
			b.invalidate({i, TceCount{1}});
			return {};
		});
	}
	// Entry @i is empty for devices, whatever the holder of the window's lock is doing. FIRMWARE_ERROR. Does not
	// sleep.
	Result<> clear_beside(TceIndex i);
	// No entry of others is left in it of those that @proof is of: their counts on the memory behind them go.
	void settle(Emptied proof)
	{
		if (!foreign.empty())
			settle_entries(std::move(proof));
	}

	void settle_entries(Emptied proof);
	bool sound() const { return health == Health::sound; }
	// Others have nothing in it, either.
	bool plain() const { return sound() && foreign.empty(); }
	// Hardware may walk it for good, its user is going: what hardware has no use for goes, too, and nobody pays.
	void keep_for_hardware()
	{
		foreign.clear();
		cleared.clear();
		charge.end();
		if (tree)
			tree->end_charge();
	}

	Window &window;
	Owned<LevelTree> tree; // if it is in our memory
	HostTable host;
	Table backend;
	Charge charge; // for firmware's part of it
	ForeignEntries foreign;
	Marks cleared;	       // by KVM, while somebody had the window's lock; guarded by the window's gate, as is:
	bool leaving{};	       // firmware is taking it away: nothing can be written into it
	Health health{};       // guarded by the window's lock
	Tce doubtful;	       // what others had in the entry that got it stuck, which is to be another now
	std::size_t members{}; // PEs that have it
	bool walked{};	       // hardware may do so for good
};

} // namespace tcewin
