// SPDX-License-Identifier: GPL-2.0-only
#include "lib/probe.hh"

#include <algorithm>

#include "lib/pattern.hh"

namespace harness
{

namespace
{

// A page's worth of the buffer is used from an odd offset on, so that the device's own addresses are unaligned as well.
constexpr std::uint32_t device_offset = 3;

std::vector<std::byte> gather(const Pieces &pieces)
{
	std::vector<std::byte> all;
	for (auto piece : pieces)
		all.insert(all.end(), piece.begin(), piece.end());
	return all;
}

void scatter(const Pieces &pieces, std::uint64_t seed)
{
	std::uint64_t position = 0;
	for (auto piece : pieces) {
		fill(piece, seed, position);
		position += piece.size();
	}
}

std::vector<std::byte> patterned(std::size_t size, std::uint64_t seed)
{
	std::vector<std::byte> bytes(size);
	fill(bytes, seed);
	return bytes;
}

// Compares memory with a copy of itself, outside of the pieces.
bool changed_outside(std::span<const std::byte> now, std::vector<std::byte> &before, const Pieces &pieces)
{
	for (auto piece : pieces)
		if (piece.data() >= now.data() && piece.data() < now.data() + now.size())
			std::ranges::copy(piece, before.begin() + (piece.data() - now.data()));
	return !std::ranges::equal(now, before);
}

// A byte of a pattern may come out right by chance; this many may not.
bool shows(std::span<const std::byte> seen, std::span<const std::byte> ours)
{
	std::size_t run = 0;
	for (std::size_t i = 0; i < seen.size(); ++i) {
		run = seen[i] == ours[i] ? run + 1 : 0;
		if (run >= 4)
			return true;
	}
	return false;
}

} // namespace

std::string_view name_of(Reach reach)
{
	switch (reach) {
	case Reach::arrived:
		return "arrived";
	case Reach::nothing:
		return "nothing";
	case Reach::garbled:
		return "garbled";
	case Reach::stray:
		return "stray";
	}
	return "?";
}

std::size_t total_size(const Pieces &pieces)
{
	std::size_t size = 0;
	for (auto piece : pieces)
		size += piece.size();
	return size;
}

Result<> Probe::load(std::uint32_t count, std::uint64_t seed)
{
	fill(scratch_.first(count), seed);
	return edu_.from_ram(scratch_ioba_, device_offset, count);
}

Result<std::vector<std::byte>> Probe::unload(std::uint32_t count, std::uint64_t seed)
{
	auto out = scratch_.first(count);
	fill(out, seed);
	if (auto moved = edu_.to_ram(device_offset, scratch_ioba_, count); !moved)
		return std::unexpected{moved.error()};
	return std::vector(out.begin(), out.end());
}

Result<Reach> Probe::write(std::uint64_t ioba, const Pieces &pieces)
{
	auto count = static_cast<std::uint32_t>(total_size(pieces));
	auto before = ++seed_, sent = ++seed_;
	if (auto loaded = load(count, sent); !loaded)
		return std::unexpected{loaded.error()};
	scatter(pieces, before);
	std::vector<std::byte> around(watched_.begin(), watched_.end());

	if (auto moved = edu_.to_ram(device_offset, ioba, count); !moved)
		return std::unexpected{moved.error()};

	auto seen = gather(pieces);
	if (changed_outside(watched_, around, pieces))
		return Reach::stray;
	if (seen == patterned(count, sent))
		return Reach::arrived;
	return seen == patterned(count, before) ? Reach::nothing : Reach::garbled;
}

Result<Reach> Probe::read(std::uint64_t ioba, const Pieces &pieces)
{
	auto count = static_cast<std::uint32_t>(total_size(pieces));
	auto stale = ++seed_, ours = ++seed_, cleared = ++seed_;
	if (auto loaded = load(count, stale); !loaded)
		return std::unexpected{loaded.error()};
	scatter(pieces, ours);
	std::vector<std::byte> around(watched_.begin(), watched_.end());

	if (auto moved = edu_.from_ram(ioba, device_offset, count); !moved)
		return std::unexpected{moved.error()};

	// Looked at before the scratch is used again, which is itself watched.
	bool stray = !std::ranges::equal(watched_, around);
	auto seen = unload(count, cleared);
	if (!seen)
		return std::unexpected{seen.error()};
	if (stray)
		return Reach::stray;
	if (*seen == patterned(count, ours))
		return Reach::arrived;
	// Without a translation the bus answers with what it likes (zeros, ones, nothing at all), never with our bytes.
	return shows(*seen, patterned(count, ours)) ? Reach::garbled : Reach::nothing;
}

} // namespace harness
