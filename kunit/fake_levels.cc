// SPDX-License-Identifier: GPL-2.0-only
#include "fake_levels.hh"

namespace tcewin::test
{

// What is left has been complained of.
FakeLevels::~FakeLevels()
{
	reals_.each([](u64 memory, u64) { tcewin_run_free(reinterpret_cast<void *>(memory)); });
}

void *FakeLevels::alloc(u64 bytes, u64 page)
{
	if (bytes < page || bytes & (bytes - 1)) {
		complaints_.add("a level that is no power of two or smaller than a page", bytes, page);
		return nullptr;
	}
	void *memory = tcewin_run_alloc(bytes);
	const auto key = reinterpret_cast<u64>(memory);
	// Aligned to itself, as much that is nobody's behind it, and no address a second time.
	next_real_ = (next_real_ + 2 * bytes - 1) & ~(2 * bytes - 1);
	live_.put(next_real_, {key, bytes, false});
	reals_.put(key, next_real_);
	next_real_ += 2 * bytes;
	bytes_ += bytes;
	return memory;
}

void FakeLevels::free(void *memory, u64 bytes)
{
	const auto key = reinterpret_cast<u64>(memory);
	const u64 *real = reals_.find(key);
	if (!real) {
		complaints_.add("freed a level that is none, or no longer", key, bytes);
		return;
	}
	const Level level = *live_.find(*real);
	if (level.bytes != bytes)
		complaints_.add("freed a level as one of another size", bytes, level.bytes);
	bytes_ -= level.bytes;
	live_.erase(*real);
	reals_.erase(key);
	tcewin_run_free(memory);
}

void *FakeLevels::at(u64 real)
{
	const Level *level = live_.find(real);
	if (level && level->told)
		return reinterpret_cast<void *>(level->memory);
	complaints_.add("asked for a level at an address that was never given for one, or no longer is", real);
	return nullptr;
}

std::optional<u64> FakeLevels::tell(const void *memory)
{
	const u64 *real = reals_.find(reinterpret_cast<u64>(memory));
	if (!real)
		return std::nullopt;
	live_.find(*real)->told = true;
	return *real;
}

const void *FakeLevels::live(u64 real, u64 bytes) const
{
	const Level *level = live_.find(real);
	return level && level->bytes >= bytes ? reinterpret_cast<const void *>(level->memory) : nullptr;
}

void FakeLevels::finish(u64 kept)
{
	if (count() > kept)
		complaints_.add("levels are left at the end", count(), bytes_);
}

} // namespace tcewin::test
