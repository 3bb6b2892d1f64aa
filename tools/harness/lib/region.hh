// SPDX-License-Identifier: GPL-2.0-only
// Memory registered with a container (v2). Unregistered when it goes; a test that cares for the outcome does it by
// hand. The container outlives it and stays where it is.
#pragma once

#include "lib/buffer.hh"
#include "lib/container.hh"

namespace harness
{

class Region
{
public:
	static Result<Region> enroll(const Container &container, Buffer buffer)
	{
		if (auto done = container.register_memory(buffer.address(), buffer.size()); !done)
			return std::unexpected{done.error()};
		return Region{container, std::move(buffer)};
	}

	Region(Region &&other) noexcept
		: container_{std::exchange(other.container_, nullptr)}, buffer_{std::move(other.buffer_)}
	{
	}
	Region &operator=(Region &&) = delete;
	~Region()
	{
		if (container_)
			(void)unregister();
	}

	Result<> unregister()
	{ // on failure it is still registered
		auto done = container_->unregister_memory(buffer_.address(), buffer_.size());
		if (done)
			container_ = nullptr;
		return done;
	}

	const Buffer &buffer() const { return buffer_; }
	std::uint64_t address() const { return buffer_.address(); }
	std::size_t size() const { return buffer_.size(); }

private:
	Region(const Container &container, Buffer buffer) : container_{&container}, buffer_{std::move(buffer)} {}

	const Container *container_; // nullptr: no longer registered
	Buffer buffer_;
};

} // namespace harness
