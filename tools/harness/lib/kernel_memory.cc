// SPDX-License-Identifier: GPL-2.0-only
#include "lib/kernel_memory.hh"

#include <dirent.h>
#include <fmt/format.h>
#include <linux/membarrier.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <sstream>
#include <thread>
#include <vector>

#include "lib/buffer.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr const char *slab_folder = "/sys/kernel/slab/";

// Workers of the kernel's queues come and go as they like.
constexpr std::array<std::string_view, 6> of_threads{"task_struct",  "thread_stack", "sighand_cache",
						     "signal_cache", "cred_jar",     "pid"};

// Objects that CPUs keep for their next allocation count as live until their caches are shrunk.
void shrink_caches()
{
	std::unique_ptr<DIR, int (*)(DIR *)> dir{::opendir(slab_folder), ::closedir};
	if (!dir)
		return;
	while (auto entry = ::readdir(dir.get()))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			(void)write_file(slab_folder + std::string{entry->d_name} + "/shrink", "1");
}

void grace_period() { (void)::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0); }

void settle()
{
	for (int i = 0; i < 2; ++i) {
		(void)write_file("/proc/sys/vm/drop_caches", "3"); // its shrinkers drain kvfree_rcu(), too
		grace_period();
		grace_period();
		std::this_thread::sleep_for(std::chrono::milliseconds{20});
	}
	shrink_caches();
	(void)write_file("/proc/sys/vm/drop_caches", "1");
	(void)read_file("/proc/sys/vm/stat_refresh");
}

// Live objects; the result is the pages that all slabs take. Objects too large for any cache are not among them, though
// the kernel's own count has their pages with the slabs'.
std::int64_t count_slabs(Kernel_memory &memory)
{
	std::istringstream lines{read_file("/proc/slabinfo").value_or("")};
	std::string line;
	std::int64_t pages = 0;
	while (std::getline(lines, line)) {
		std::istringstream words{line};
		std::string name, other;
		std::int64_t live, all, size, objects, pages_of_slab, active_slabs, slabs;
		if (!(words >> name >> live >> all >> size >> objects >> pages_of_slab))
			continue; // the first two lines are headings
		for (int i = 0; i < 6; ++i)
			words >> other; // ": tunables 0 0 0 :"
		if (words >> other >> active_slabs >> slabs)
			pages += slabs * pages_of_slab;
		if (std::ranges::count(of_threads, name))
			continue;
		memory.caches[name] += live * size;
		memory.slab += live * size;
	}
	return pages;
}

// Free pages of all zones, in their lists and in those of each CPU.
std::int64_t free_pages()
{
	std::istringstream lines{read_file("/proc/zoneinfo").value_or("")};
	std::string line;
	std::int64_t total = 0;
	while (std::getline(lines, line)) {
		std::istringstream words{line};
		std::string one, two;
		std::int64_t number;
		if (!(words >> one))
			continue;
		if (one == "count:" && words >> number)
			total += number;
		else if (one == "pages" && words >> two >> number && two == "free")
			total += number;
	}
	return total;
}

void count_pages(Kernel_memory &memory, std::int64_t of_slabs)
{
	auto vmstat = read_file("/proc/vmstat").value_or("");
	auto meminfo = read_file("/proc/meminfo").value_or("");
	auto kib = [&meminfo](const char *key) {
		return static_cast<std::int64_t>(field(meminfo, key).value_or(0)) * 1024;
	};
	auto used = kib("MemTotal");
	auto in_use_elsewhere = free_pages() + of_slabs;
	for (auto key : {"nr_anon_pages", "nr_file_pages"})
		in_use_elsewhere += static_cast<std::int64_t>(field(vmstat, key).value_or(0));
	// Huge pages are nobody's in these counts, and no kernel's either.
	memory.pages = used - in_use_elsewhere * static_cast<std::int64_t>(page_size()) - kib("Hugetlb");
	memory.vmalloc = kib("VmallocUsed");
}

Kernel_memory measure()
{
	settle();
	Kernel_memory memory;
	count_pages(memory, count_slabs(memory));
	return memory;
}

std::string signed_kib(std::int64_t bytes) { return fmt::format("{:+.1f} KiB", static_cast<double>(bytes) / 1024); }

// The caches that changed most, three of them.
std::string biggest(const std::map<std::string, std::int64_t> &caches)
{
	std::vector<std::pair<std::string, std::int64_t>> changed(caches.begin(), caches.end());
	std::erase_if(changed, [](auto &cache) { return cache.second == 0; });
	std::ranges::sort(changed, std::ranges::greater{}, [](auto &cache) { return std::abs(cache.second); });
	std::string text;
	for (std::size_t i = 0; i < std::min<std::size_t>(changed.size(), 3); ++i)
		text += fmt::format("{}{} {}", i ? ", " : "", changed[i].first, signed_kib(changed[i].second));
	return text.empty() ? text : fmt::format(" ({})", text);
}

} // namespace

bool within(const Kernel_memory &growth, const Noise &noise)
{
	return std::abs(growth.slab) <= noise.slab && std::abs(growth.pages) <= noise.pages &&
	       std::abs(growth.vmalloc) <= noise.vmalloc;
}

Kernel_memory Kernel_memory::rested()
{
	constexpr std::int64_t still = 1 << 10; // a disk at work has that many requests more or less
	auto last = measure();
	for (int patience = 20; patience > 0; --patience) {
		auto now = measure();
		auto moved = now - last;
		last = std::move(now);
		if (std::abs(moved.slab) <= still && moved.pages == 0)
			break;
	}
	return last;
}

Kernel_memory operator-(const Kernel_memory &after, const Kernel_memory &before)
{
	Kernel_memory growth{.caches = after.caches,
			     .slab = after.slab - before.slab,
			     .pages = after.pages - before.pages,
			     .vmalloc = after.vmalloc - before.vmalloc};
	for (auto &[name, bytes] : before.caches)
		growth.caches[name] -= bytes;
	return growth;
}

std::string to_string(const Kernel_memory &growth)
{
	return fmt::format("slab {}{}, pages {}, vmalloc {}", signed_kib(growth.slab), biggest(growth.caches),
			   signed_kib(growth.pages), signed_kib(growth.vmalloc));
}

Kernel_memory growth_since(const Kernel_memory &before, const Noise &noise)
{
	auto growth = Kernel_memory::rested() - before;
	for (int patience = 8; patience > 0 && !within(growth, noise); --patience) {
		std::this_thread::sleep_for(std::chrono::seconds{1});
		growth = Kernel_memory::rested() - before;
	}
	return growth;
}

Kernel_memory check_same(Report &report, std::string_view what, const Kernel_memory &before, const Noise &noise)
{
	auto growth = growth_since(before, noise);
	report.check(what, within(growth, noise), to_string(growth));
	return growth;
}

Result<std::int64_t> seen_of_planted(std::size_t count)
{
	// Queues grow to their limit in bytes, and an empty message costs one object of the kernel all the same.
	(void)write_file("/proc/sys/kernel/msgmnb", std::to_string(count + 1));
	int queue = ::msgget(IPC_PRIVATE, 0600);
	if (queue < 0)
		return fail_errno();
	auto before = Kernel_memory::rested();
	struct {
		long type = 1;
		char text = 0;
	} message;
	Result<> sent;
	for (std::size_t i = 0; i < count && sent; ++i)
		sent = zero_expected(::msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT));
	auto growth = Kernel_memory::rested() - before;
	::msgctl(queue, IPC_RMID, nullptr);
	if (!sent)
		return std::unexpected{sent.error()};
	return growth.slab;
}

} // namespace harness
