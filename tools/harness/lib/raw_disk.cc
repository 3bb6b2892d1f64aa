// SPDX-License-Identifier: GPL-2.0-only
#include "lib/raw_disk.hh"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "lib/pattern.hh"

namespace harness
{

namespace
{

constexpr std::size_t sector = 512;
constexpr std::uint64_t seed = 4711;

struct Stamp {
	std::uint64_t number, generation;
};

} // namespace

Result<std::string> find_nvme_disk()
{
	const std::string path = "/dev/nvme0n1";
	for (int i = 0; i < 200; ++i) {
		struct stat node;
		if (::stat(path.c_str(), &node) == 0 && S_ISBLK(node.st_mode))
			return path;
		std::this_thread::sleep_for(std::chrono::milliseconds{50});
	}
	return fail(ENODEV);
}

Result<Disk> Disk::open(const std::string &path)
{
	auto fd = Fd::open(path.c_str(), O_RDWR | O_DIRECT);
	auto wanted = Buffer::anonymous(block), seen = Buffer::anonymous(block);
	if (!fd)
		return std::unexpected{fd.error()};
	if (!wanted || !seen)
		return fail(ENOMEM);
	fill(wanted->bytes(), seed);
	return Disk{std::move(*fd), std::move(*wanted), std::move(*seen)};
}

void Disk::prepare(std::uint64_t number, std::uint64_t generation)
{
	Stamp stamp{number, generation};
	for (std::size_t at = 0; at < block; at += sector)
		std::memcpy(wanted_.bytes().data() + at, &stamp, sizeof stamp);
}

Result<> Disk::write(std::uint64_t number, std::uint64_t generation)
{
	prepare(number, generation);
	auto n = ::pwrite(fd_.get(), wanted_.bytes().data(), block, static_cast<off_t>(number * block));
	if (n < 0)
		return fail_errno();
	return n == block ? Result<>{} : fail(EIO);
}

Result<> Disk::check(std::uint64_t number, std::uint64_t generation)
{
	prepare(number, generation);
	auto n = ::pread(fd_.get(), seen_.bytes().data(), block, static_cast<off_t>(number * block));
	if (n < 0)
		return fail_errno();
	if (n != block)
		return fail(EIO);
	return std::ranges::equal(wanted_.bytes(), seen_.bytes()) ? Result<>{} : fail(EILSEQ);
}

Disk_load::Disk_load(const std::string &path)
{
	threads_.emplace_back([this, path] { read(path); });
	threads_.emplace_back([this, path] { write(path); });
}

void Disk_load::stop()
{
	stop_ = true;
	threads_.clear();
}

bool Disk_load::count(const Result<> &done)
{
	++transfers_;
	if (done)
		return true;
	++faults_;
	int none = 0;
	first_fault_.compare_exchange_strong(none, done.error().code());
	return false;
}

void Disk_load::read(const std::string &path)
{
	auto disk = Disk::open(path);
	if (!disk) {
		count(std::unexpected{disk.error()});
		return;
	}
	for (std::uint64_t i = 0; i < Disk::half && !stop_; ++i)
		count(disk->write(i, 0));
	for (std::uint64_t i = 0; !stop_; ++i)
		count(disk->check(i % Disk::half, 0));
}

// A block is read back after all others were written once more.
void Disk_load::write(const std::string &path)
{
	auto disk = Disk::open(path);
	if (!disk) {
		count(std::unexpected{disk.error()});
		return;
	}
	for (std::uint64_t i = 0; !stop_; ++i) {
		auto block = Disk::half + i % Disk::half, round = i / Disk::half;
		if (round > 0)
			count(disk->check(block, round - 1));
		count(disk->write(block, round));
	}
}

} // namespace harness
