// SPDX-License-Identifier: GPL-2.0-only
// A disk that the kernel's nvme driver has: its file system read against the checksums in it, and reads that go on in
// the background, past the page cache.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "lib/result.hh"

namespace harness
{

inline constexpr const char *disk_device = "/dev/nvme0n1";

Result<> wait_for_disk(); // the driver finds its name spaces in its own time; ETIMEDOUT
enum class Disk_use { only_read, written };
Result<> mount_disk(Disk_use use = Disk_use::only_read);
Result<> unmount_disk();

// Of the mounted one, each byte from the device: how many files are as SHA256SUMS says. EIO: one is not.
Result<int> sound_files();

// Reads all over the disk as long as it lives.
class Reading
{
public:
	Reading();
	~Reading();
	std::uint64_t reads() const { return reads_; }
	std::uint64_t errors() const { return errors_; }
	// Another few of them have come to an end since the call; false: none did for ten seconds.
	bool goes_on() const;

private:
	void run();

	std::atomic<bool> stop_ = false;
	std::atomic<std::uint64_t> reads_ = 0, errors_ = 0;
	std::jthread thread_;
};

} // namespace harness
