// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/written_back.hh"

#include <fmt/format.h>

#include <algorithm>

#include "lib/disk.hh"
#include "lib/pattern.hh"
#include "lib/region.hh"
#include "lib/rig.hh"
#include "lib/sysfs.hh"
#include "lib/window.hh"

namespace harness
{

namespace
{

constexpr const char *path = "/mnt/written-by-a-device";
constexpr std::size_t pages = 16;
constexpr std::uint64_t in_window = 1 << 20; // of the file; the scratch is where the window begins
constexpr std::uint32_t device_offset = 3, bytes_written = 1000;

enum class End { unmap, one_by_one, close };

struct Story {
	const char *name;
	unsigned long type;
	End end;
	std::uint64_t seed; // of what the device writes
};

constexpr Story stories[] = {
	{"v2, UNMAP of all", type_v2, End::unmap, 11},
	{"v2, UNMAP of one entry at a time", type_v2, End::one_by_one, 12},
	{"v2, closed with the mapping alive", type_v2, End::close, 13},
	{"v1, UNMAP of all", type_v1, End::unmap, 14},
	{"v1, closed with the mapping alive", type_v1, End::close, 15},
};

std::size_t file_size() { return pages * page_size(); }
std::uint64_t old_seed(const Story &story) { return story.seed + 100; }

// Where the device writes: the first page, two in the middle, the last bytes of all.
std::vector<std::size_t> offsets()
{
	return {100, 7 * page_size() + 1, 8 * page_size() + 513, file_size() - bytes_written};
}

// As the file has to be.
std::vector<std::byte> wanted(const Story &story, bool written)
{
	std::vector<std::byte> bytes(file_size());
	fill(bytes, old_seed(story));
	for (auto at : written ? offsets() : std::vector<std::size_t>{})
		fill(std::span{bytes}.subspan(at, bytes_written), story.seed);
	return bytes;
}

Result<> put_old_bytes(const Fd &file, const Story &story)
{
	auto bytes = wanted(story, false);
	if (::pwrite(file.get(), bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
		return fail_errno();
	return zero_expected(::fsync(file.get()));
}

// The disk has what the file has, or had before somebody changed its pages and told nobody.
Result<bool> file_is(const std::vector<std::byte> &bytes, int flags)
{
	auto file = Fd::open(path, O_RDONLY | flags);
	auto seen = Buffer::anonymous(bytes.size(), page_size());
	if (!file || !seen)
		return fail(ENOMEM);
	if (::pread(file->get(), seen->bytes().data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
		return fail_errno();
	return std::ranges::equal(seen->bytes(), bytes);
}

class Writing
{
public:
	Writing(Report &report, const Story &story, const Rig &rig, const Fd &file, const Buffer &memory,
		const Buffer &scratch)
		: report_{report}, story_{story}, rig_{rig}, file_{file}, memory_{memory}, scratch_{scratch}
	{
	}

	bool run()
	{
		auto info = rig_.container().get_info();
		if (!step("GET_INFO", info))
			return false;
		start_ = info->dma32_window_start;
		// Pinned for writing, the pages are dirty; nothing says so any more once they are written back.
		if (!step("REGISTER_MEMORY, or ENABLE", admit()) || !step("MAP_DMA", map()) ||
		    !step("fsync: its pages are clean", zero_expected(::fsync(file_.get()))) ||
		    !step("the device writes", write()))
			return false;
		check("its bytes are in memory", std::ranges::equal(memory_.bytes(), wanted(story_, true)));
		auto before = file_is(wanted(story_, false), O_DIRECT);
		check("and not on the disk: the pages are clean", before.value_or(false));
		return step("the pages are given back", give_back());
	}

private:
	template <typename T>
	bool step(std::string_view what, const Result<T> &done)
	{
		return report_.step(fmt::format("{}: {}", story_.name, what), done);
	}
	void check(std::string_view what, bool right)
	{
		report_.check(fmt::format("{}: {}", story_.name, what), right, right ? "yes" : "NO");
	}

	Result<> admit()
	{
		auto &container = rig_.container();
		if (story_.type == type_v1)
			return container.enable();
		auto done = container.register_memory(memory_.address(), memory_.size());
		return done ? container.register_memory(scratch_.address(), scratch_.size()) : done;
	}
	Result<> map()
	{
		auto &container = rig_.container();
		auto done = container.map(start_, scratch_.address(), scratch_.size(), Access::both);
		return done ? container.map(start_ + in_window, memory_.address(), memory_.size(), Access::both) : done;
	}
	Result<> write()
	{
		auto &edu = rig_.edu();
		fill(scratch_.bytes(0, bytes_written), story_.seed);
		auto done = edu.from_ram(start_, device_offset, bytes_written);
		for (auto at : offsets())
			done = done ? edu.to_ram(device_offset, start_ + in_window + at, bytes_written) : done;
		return done;
	}
	Result<> give_back()
	{
		auto &container = rig_.container();
		if (story_.end == End::close)
			return {};
		std::uint64_t step = story_.end == End::unmap ? memory_.size() : 4096;
		Result<> done;
		for (std::uint64_t at = 0; done && at < memory_.size(); at += step)
			done = container.unmap(start_ + in_window + at, step);
		return done && story_.type == type_v2 ? container.unregister_memory(memory_.address(), memory_.size())
						      : done;
	}

	Report &report_;
	const Story &story_;
	const Rig &rig_;
	const Fd &file_;
	const Buffer &memory_;
	const Buffer &scratch_;
	std::uint64_t start_ = 0;
};

bool write_through(Report &report, const Story &story, const Pci_function &function, const Fd &file)
{
	auto memory = Buffer::of_file(file.get(), file_size());
	auto scratch = Buffer::anonymous(page_size());
	if (!report.step("map the file", memory) || !report.step("allocate memory", scratch))
		return false;
	auto rig = Rig::open(function, story.type);
	if (!report.step(fmt::format("{}: set a container up", story.name), rig))
		return false;
	return Writing{report, story, **rig, file, *memory, *scratch}.run();
}

void play(Report &report, const Story &story, const Pci_function &function)
{
	report.heading(story.name);
	Fd file{::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
	if (!report.step("a file with known bytes, on the disk", put_old_bytes(file, story)) ||
	    !write_through(report, story, function, file))
		return;
	::sync();
	report.step("drop_caches", write_file("/proc/sys/vm/drop_caches", "3"));
	auto there = file_is(wanted(story, true), 0);
	report.check(fmt::format("{}: the device's bytes are in the file", story.name), there.value_or(false),
		     there ? (*there ? "all" : "LOST") : there.error().name());
}

void on_a_disk(Report &report, const Pci_function &function)
{
	for (auto module : {"nvme", "ext4"})
		if (!report.step(fmt::format("modprobe {}", module), modprobe(module)))
			return;
	if (!report.step("the disk is there", wait_for_disk()) || !report.step("mount", mount_disk(Disk_use::written)))
		return;
	for (auto &story : stories)
		play(report, story, function);
	report.step("umount", unmount_disk());
}

} // namespace

bool run_written_back(const Options &options)
{
	return run_on_edu(options, "pages of a file that a device writes", on_a_disk);
}

} // namespace harness
