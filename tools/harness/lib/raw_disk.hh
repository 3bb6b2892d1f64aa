// SPDX-License-Identifier: GPL-2.0-only
// A raw disk under a host driver, kept busy past the page cache: one thread reads what was written before and compares,
// another writes new contents and reads them back. What it holds is overwritten.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "lib/buffer.hh"
#include "lib/fd.hh"

namespace harness
{

// An NVMe disk's block device, once its driver shows it. ENODEV: none within ten seconds.
Result<std::string> find_nvme_disk();

class Disk
{
public:
	static constexpr std::size_t block = 128 << 10; // bytes of one transfer
	static constexpr std::uint64_t half = 64;	// blocks that are read only, then as many that are written

	static Result<Disk> open(const std::string &path);

	// Contents of block `number` after it was written for the n-th time; every sector says where it belongs.
	Result<> write(std::uint64_t number, std::uint64_t generation);
	// EIO: the disk said so, or read less. EILSEQ: other bytes than were written.
	Result<> check(std::uint64_t number, std::uint64_t generation);

private:
	Disk(Fd fd, Buffer wanted, Buffer seen) : fd_{std::move(fd)}, wanted_{std::move(wanted)}, seen_{std::move(seen)}
	{
	}
	void prepare(std::uint64_t number, std::uint64_t generation);

	Fd fd_;
	Buffer wanted_; // the pattern, its stamps as of prepare()
	Buffer seen_;
};

// The two threads, from construction to stop().
class Disk_load
{
public:
	explicit Disk_load(const std::string &path);
	~Disk_load() { stop(); }

	void stop();
	std::uint64_t transfers() const { return transfers_; }
	std::uint64_t faults() const { return faults_; }
	Errno first_fault() const { return Errno{first_fault_}; } // 0: none

private:
	void read(const std::string &path);
	void write(const std::string &path);
	bool count(const Result<> &done);

	std::atomic<std::uint64_t> transfers_ = 0;
	std::atomic<std::uint64_t> faults_ = 0;
	std::atomic<int> first_fault_ = 0;
	std::atomic<bool> stop_ = false;
	std::vector<std::jthread> threads_;
};

} // namespace harness
