// SPDX-License-Identifier: GPL-2.0-only
#include "paravirt.hh"

namespace tcewin
{

namespace
{

// Hypercall return codes, LoPAR 14.4.
enum : long { h_success = 0, h_busy = 1, h_resource = -16, h_long_busy_first = 9900, h_long_busy_last = 9905 };

// Makes the call until the hypervisor is not busy.
template <class Call>
Result<> until_done(const char *what, Call call)
{
	for (;;) {
		const long status = call();
		if (status == h_success)
			return {};
		if (status == h_busy)
			tcewin_host_yield();
		else if (status >= h_long_busy_first && status <= h_long_busy_last)
			tcewin_host_rtas_wait(static_cast<int>(status));
		else if (status == h_resource)
			return fail(TCEWIN_NO_MEMORY);
		else {
			tcewin_host_event(nullptr, TCEWIN_EVENT_FIRMWARE, what, status);
			return fail(TCEWIN_FIRMWARE_ERROR);
		}
	}
}

} // namespace

Result<> Paravirt::put(TceIndex first, std::span<const Tce> words)
{
	if (!calls_.put_indirect || words.size() == 1)
		return put_each(first, words);
	return until_done("H_PUT_TCE_INDIRECT", [&] {
		return tcewin_host_put_tce_indirect(liobn_.raw(), ioba(first), tcewin_host_real_address(words.data()),
						    words.size());
	});
}

Result<> Paravirt::clear(TceIndex first, TceCount count)
{
	if (!calls_.stuff)
		return clear_each(first, count);
	return until_done("H_STUFF_TCE",
			  [&] { return tcewin_host_stuff_tce(liobn_.raw(), ioba(first), Tce{}.word(), count.raw()); });
}

Result<> Paravirt::put_each(TceIndex first, std::span<const Tce> words)
{
	for (const Tce &tce : words) {
		TRY(until_done("H_PUT_TCE",
			       [&] { return tcewin_host_put_tce(liobn_.raw(), ioba(first), tce.word()); }));
		first = first + TceCount{1};
	}
	return {};
}

Result<> Paravirt::clear_each(TceIndex first, TceCount count)
{
	for (u64 i = 0; i < count.raw(); i++) {
		const u64 at = ioba(first + TceCount{i});
		TRY(until_done("H_PUT_TCE", [&] { return tcewin_host_put_tce(liobn_.raw(), at, Tce{}.word()); }));
	}
	return {};
}

} // namespace tcewin
