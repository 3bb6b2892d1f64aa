// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/device.hh"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "lib/buffer.hh"
#include "lib/container.hh"
#include "lib/group.hh"

namespace harness::fuzz
{

namespace
{

constexpr std::uint64_t ink_magic = 0x1d3b'0000'0000'0001;
constexpr std::uint64_t ink_mask = 0xffff'0000'0000'0001;
constexpr std::uint32_t piece = sizeof(Beginning);
constexpr std::uint32_t half = piece / 2;		  // a device writes its own one of the two halves
constexpr unsigned inks = 32;				  // at the beginning of the device's buffer
constexpr unsigned places = Edu::capacity / piece - inks; // for what is read, behind them

std::uint64_t ink(unsigned device, unsigned tag) { return ink_magic | device << 16 | tag << 8; }

void note(Transfer &transfer, Seen seen)
{
	if (transfer.count < seen_max)
		transfer.seen[transfer.count++] = seen;
}

std::uint64_t first_word(const std::byte *bytes)
{
	std::uint64_t word;
	std::memcpy(&word, bytes, sizeof word);
	return word;
}

std::size_t distance() { return page_size(); }

} // namespace

void Observer::look()
{
	const std::scoped_lock guard{lock_};
	for (unsigned cell = 0; cell < cells; ++cell) {
		auto there = common_.data() + cell * distance();
		Page page{processes,
			  static_cast<std::uint8_t>(std::ranges::find(blocks, Kind::common) - blocks.begin()),
			  static_cast<std::uint16_t>(cell)};
		auto beginning = beginning_of(page);
		for (std::uint32_t at = 0; at < piece; at += half)
			if (found(first_word(there + at), page))
				std::memcpy(there + at, &beginning, half);
	}
	for (unsigned process = 0; process < processes; ++process)
		for (unsigned block = 0; block < blocks.size(); ++block)
			if (blocks[block] != Kind::common && blocks[block] < Kind::served) // looking would fault
				look_at(process, block);
}

void Observer::look_at(unsigned process, unsigned block)
{
	for (unsigned cell = 0; cell < cells && !world_.dead[process]; ++cell) {
		auto address = address_of(block) + cell * distance();
		Beginning beginning{};
		auto page = page_at(process, address);
		auto memory = subjects_[process].memory.get();
		if (::pread(memory, beginning.data(), piece, static_cast<off_t>(address)) != piece)
			continue;
		auto right = beginning_of(*page);
		for (std::uint32_t at = 0; at < piece; at += half)
			if (found(beginning[at / sizeof beginning[0]], *page))
				(void)!::pwrite(memory, right.data(), half, static_cast<off_t>(address + at));
	}
}

bool Observer::found(std::uint64_t word, const Page &page)
{
	if ((word & ink_mask) != ink_magic)
		return false;
	for (auto &transfer : world_.transfers)
		if (transfer.begin && transfer.write && word == transfer.ink) {
			note(transfer, {Seen::What::page, page});
			return true;
		}
	++strange_;
	return true;
}

Result<Inked_device> Inked_device::open(const Pci_function &function, unsigned number, int group)
{
	auto edu = bare_edu(function);
	if (!edu)
		return std::unexpected{edu.error()};
	return Inked_device{std::move(*edu), number, group};
}

void Inked_device::probe(World &world, Observer &observer, const History &history, unsigned operation)
{
	auto &n = history.operations[operation].n;
	auto &transfer = world.transfers[operation];
	transfer.at = bus_address(n[0] % 2, n[1]) + n[2] % cells * distance();
	transfer.write = n[3] % 2;
	auto tag = transfer.write ? writes_++ : reads_++;
	if (tag >= (transfer.write ? inks : places))
		return;
	auto offset = (transfer.write ? tag : inks + tag) * piece;
	transfer.ink = ink(number_, tag);
	transfer.offset = offset;
	transfer.begin = world.tick();
	auto done = transfer.write ? edu_.to_ram(offset, transfer.at + number_ * half, half)
				   : edu_.from_ram(transfer.at, offset, piece);
	if (transfer.write)
		observer.look();
	if (done)
		transfer.end = world.tick();
}

std::string Inked_device::exchange(World &world, const History &history)
{
	auto container = Container::open();
	auto group = Group::open(group_);
	auto buffer = Buffer::anonymous(std::max(page_size(), std::size_t{1} << 16), 1 << 16);
	if (!container || !group || !buffer)
		return fmt::format("open: container {}, group {}", outcome(container), outcome(group));
	auto joined = group->set_container(*container);
	if (!joined)
		return fmt::format("SET_CONTAINER: {}", outcome(joined));
	auto type = container->set_iommu(type_v2);
	auto known = container->register_memory(buffer->address(), buffer->size());
	auto mapped = container->map(0, buffer->address(), 4096, Access::both);
	if (!type || !known || !mapped)
		return fmt::format("SET_IOMMU {}, REGISTER {}, MAP_DMA {}", outcome(type), outcome(known),
				   outcome(mapped));
	auto bytes = buffer->bytes();
	if (auto out = edu_.to_ram(0, 0, Edu::capacity); !out)
		return fmt::format("transfer: {}", outcome(out));
	unpack(world, history, bytes);
	std::ranges::fill(bytes, std::byte{0});
	for (unsigned tag = 0; tag < inks; ++tag) {
		Beginning beginning;
		beginning.fill(ink(number_, tag));
		std::memcpy(bytes.data() + tag * piece, &beginning, piece);
	}
	writes_ = reads_ = 0;
	if (auto in = edu_.from_ram(0, 0, Edu::capacity); !in)
		return fmt::format("transfer: {}", outcome(in));
	return "";
}

void Inked_device::unpack(World &world, const History &history, std::span<const std::byte> buffer) const
{
	for (unsigned i = 0; i < history.operations.size(); ++i) {
		auto &transfer = world.transfers[i];
		if (!transfer.end || transfer.write || history.operations[i].actor != workers + number_)
			continue;
		auto there = buffer.data() + transfer.offset;
		auto word = first_word(there);
		if ((word & ink_mask) == ink_magic) // the other device's, or that of a page that its process has lost
			word = first_word(there + half);
		if (auto page = page_of(word))
			note(transfer, {Seen::What::page, *page});
		else if (word && (word & ink_mask) != ink_magic)
			note(transfer, {Seen::What::other, {}});
	}
}

} // namespace harness::fuzz
