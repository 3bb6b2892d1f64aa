// SPDX-License-Identifier: GPL-2.0-only
// A DMA window made by TCE_CREATE, and a mapping in one. Both undo themselves, or by hand where the outcome matters.
// The container outlives them and stays where it is.
#pragma once

#include "lib/container.hh"

namespace harness
{

class Window
{
public:
	static Result<Window> create(const Container &container, std::uint32_t page_shift, std::uint64_t size,
				     std::uint32_t levels = 1)
	{
		auto start = container.tce_create(page_shift, size, levels);
		if (!start)
			return std::unexpected{start.error()};
		return Window{container, *start, size, page_shift};
	}

	Window(Window &&other) noexcept
		: container_{std::exchange(other.container_, nullptr)}, start_{other.start_}, size_{other.size_},
		  page_shift_{other.page_shift_}
	{
	}
	Window &operator=(Window &&) = delete;
	~Window()
	{
		if (container_)
			(void)remove();
	}

	Result<> remove()
	{ // on failure it is still there
		auto done = container_->tce_remove(start_);
		if (done)
			container_ = nullptr;
		return done;
	}

	std::uint64_t start() const { return start_; }
	std::uint64_t end() const { return start_ + size_; }
	std::uint64_t size() const { return size_; }
	std::uint32_t page_shift() const { return page_shift_; }
	std::uint64_t page() const { return 1ull << page_shift_; }

private:
	Window(const Container &container, std::uint64_t start, std::uint64_t size, std::uint32_t page_shift)
		: container_{&container}, start_{start}, size_{size}, page_shift_{page_shift}
	{
	}

	const Container *container_; // nullptr: removed
	std::uint64_t start_;
	std::uint64_t size_;
	std::uint32_t page_shift_;
};

class Mapping
{
public:
	static Result<Mapping> make(const Container &container, std::uint64_t iova, std::uint64_t vaddr,
				    std::uint64_t size, Access access = Access::both)
	{
		if (auto done = container.map(iova, vaddr, size, access); !done)
			return std::unexpected{done.error()};
		return Mapping{container, iova, size};
	}

	Mapping(Mapping &&other) noexcept
		: container_{std::exchange(other.container_, nullptr)}, iova_{other.iova_}, size_{other.size_}
	{
	}
	Mapping &operator=(Mapping &&) = delete;
	~Mapping()
	{
		if (container_)
			(void)unmap();
	}

	Result<> unmap()
	{
		auto done = container_->unmap(iova_, size_);
		if (done)
			container_ = nullptr;
		return done;
	}
	void forget() { container_ = nullptr; } // its window is gone, and it with it

	std::uint64_t iova() const { return iova_; }
	std::uint64_t size() const { return size_; }

private:
	Mapping(const Container &container, std::uint64_t iova, std::uint64_t size)
		: container_{&container}, iova_{iova}, size_{size}
	{
	}

	const Container *container_;
	std::uint64_t iova_;
	std::uint64_t size_;
};

} // namespace harness
