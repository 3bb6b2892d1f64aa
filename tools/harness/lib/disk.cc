// SPDX-License-Identifier: GPL-2.0-only
#include "lib/disk.hh"

#include <sys/mount.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <memory>

#include "lib/buffer.hh"
#include "lib/fd.hh"
#include "lib/sysfs.hh"

namespace harness
{

namespace
{

constexpr const char *place = "/mnt";
constexpr std::size_t read_size = 1 << 16;

using namespace std::chrono_literals;

template <typename Condition>
bool within(std::chrono::seconds patience, Condition condition)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	while (!condition()) {
		if (std::chrono::steady_clock::now() > deadline)
			return false;
		std::this_thread::sleep_for(10ms);
	}
	return true;
}

} // namespace

Result<> wait_for_disk()
{
	return within(30s, [] { return exists(disk_device); }) ? Result<>{} : fail(ETIMEDOUT);
}

Result<> mount_disk(Disk_use use)
{
	::mkdir(place, 0755);
	return zero_expected(::mount(disk_device, place, "ext4", use == Disk_use::written ? 0 : MS_RDONLY, nullptr));
}

Result<> unmount_disk() { return zero_expected(::umount(place)); }

Result<int> sound_files()
{
	if (auto dropped = write_file("/proc/sys/vm/drop_caches", "3"); !dropped)
		return std::unexpected{dropped.error()};
	auto command = std::string{"cd "} + place + " && /bin/busybox sha256sum -c SHA256SUMS";
	std::unique_ptr<std::FILE, int (*)(std::FILE *)> pipe{::popen(command.c_str(), "r"), ::pclose};
	if (!pipe)
		return fail_errno();
	int good = 0;
	char line[256];
	while (std::fgets(line, sizeof line, pipe.get()))
		good += std::string_view{line}.ends_with(": OK\n");
	if (::pclose(pipe.release()) != 0)
		return fail(EIO);
	return good;
}

Reading::Reading() : thread_{[this] { run(); }} {}

Reading::~Reading() { stop_ = true; }

bool Reading::goes_on() const
{
	return within(10s, [this, before = reads_.load()] { return reads_ >= before + 8; });
}

void Reading::run()
{
	auto disk = Fd::open(disk_device, O_RDONLY | O_DIRECT);
	auto buffer = Buffer::anonymous(read_size, read_size);
	auto size = disk ? ::lseek(disk->get(), 0, SEEK_END) : 0;
	if (!buffer || size < static_cast<off_t>(read_size)) {
		++errors_;
		return;
	}
	for (off_t at = 0; !stop_; at = (at + read_size) % (size - size % static_cast<off_t>(read_size))) {
		auto n = ::pread(disk->get(), buffer->bytes().data(), read_size, at);
		++(n == static_cast<ssize_t>(read_size) ? reads_ : errors_);
	}
}

} // namespace harness
