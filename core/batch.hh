// SPDX-License-Identifier: GPL-2.0-only
// Room for the words of one batch while a request writes its tables: a page that the hypervisor can read, or a single
// word where no more are written, which goes in a register.
#pragma once

#include <memory>
#include <span>

#include "result.hh"
#include "tce.hh"

namespace tcewin
{

class Batch
{
public:
	static constexpr u64 largest = 512; // LoPAR 14.5.4.2.4: one 4 KiB page of TCEs

	// For a request of @count entries. NO_MEMORY.
	static Result<Batch> for_entries(TceCount count)
	{
		if (count <= TceCount{1})
			return Batch{nullptr};
		Batch batch{tcewin_host_batch_get()};
		if (!batch.page_)
			return fail(TCEWIN_NO_MEMORY);
		return batch;
	}
	std::span<Tce> words() { return page_ ? std::span{page_.get(), largest} : std::span{&one_, 1}; }

private:
	struct Put {
		void operator()(Tce *page) const { tcewin_host_batch_put(page); }
	};
	explicit Batch(void *page) : page_{static_cast<Tce *>(page)} {}

	std::unique_ptr<Tce, Put> page_;
	Tce one_;
};

} // namespace tcewin
