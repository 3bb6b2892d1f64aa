// SPDX-License-Identifier: GPL-2.0-only
// Memory for the levels of tables that hardware walks, at real addresses of its own invention: a pointer taken for a
// real address, or the other way round, leads nowhere. Complains of what host.h does not allow with a level.
#pragma once

#include <optional>

#include "complaints.hh"
#include "vector.hh"

namespace tcewin::test
{

class FakeLevels
{
public:
	explicit FakeLevels(Complaints &complaints) : complaints_{complaints} {}
	FakeLevels(const FakeLevels &) = delete;
	~FakeLevels();

	// host.h's functions of these names; @page is the host's page in bytes.
	void *alloc(u64 bytes, u64 page);
	void free(void *memory, u64 bytes);
	void *at(u64 real);
	// tcewin_host_real_address(), or nothing where @memory is no level.
	std::optional<u64> tell(const void *memory);

	// For hardware: the level that begins at @real and has @bytes at least, or nullptr.
	const void *live(u64 real, u64 bytes) const;
	u64 count() const { return live_.size(); }
	u64 bytes() const { return bytes_; }

	// No more is left than may be.
	void finish(u64 kept = 0);

private:
	struct Level {
		u64 memory, bytes;
		bool told; // the engine has asked where it is
	};
	Complaints &complaints_;
	Hash<Level> live_;	      // by real address
	Hash<u64> reals_;	      // by pointer
	u64 next_real_{u64{1} << 50}; // where no user's memory is
	u64 bytes_{};
};

} // namespace tcewin::test
