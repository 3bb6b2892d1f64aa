// SPDX-License-Identifier: GPL-2.0-only
#include "paravirt.hh"

namespace tcewin
{

namespace
{

// Hypercall return codes, LoPAR 14.4.
enum : long {
	h_success = 0,
	h_busy = 1,
	h_resource = -16,
	h_not_enough_resources = -44, // of an LPAR's own share (CMO)
	h_long_busy_first = 9900,
	h_long_busy_last = 9905
};

// What any status but success means; busy ones when they are over.
Result<> not_done(const char *what, long status)
{
	if (status == h_busy)
		tcewin_host_yield();
	else if (status >= h_long_busy_first && status <= h_long_busy_last)
		tcewin_host_rtas_wait(static_cast<int>(status));
	else if (status == h_resource || status == h_not_enough_resources)
		return fail(TCEWIN_NO_MEMORY);
	else {
		tcewin_host_event(nullptr, TCEWIN_EVENT_FIRMWARE, what, status);
		return fail(TCEWIN_FIRMWARE_ERROR);
	}
	return {};
}

// Makes the call until the hypervisor is not busy.
template <class Call>
Result<> until_done(const char *what, Call call)
{
	for (;;) {
		const long status = call();
		if (status == h_success) [[likely]]
			return {};
		TRY(not_done(what, status));
	}
}

} // namespace

Result<> Paravirt::put(TceIndex first, std::span<const Tce> words)
{
	if (words.size() == 1)
		return set(first, words[0]);
	if (!calls_.put_indirect)
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

// The first try ended with @status.
Result<> Paravirt::set_later(TceIndex i, Tce word, long status)
{
	TRY(not_done("H_PUT_TCE", status));
	return until_done("H_PUT_TCE", [&] { return tcewin_host_put_tce(liobn_.raw(), ioba(i), word.word()); });
}

// The first try ended with @status.
Result<> Paravirt::set_while_busy(TceIndex i, Tce word, long status)
{
	static constexpr int tries = 1000; // busy is for the time of another processor's call
	for (int n = 1; status == h_busy && n < tries; n++) {
		status = tcewin_host_put_tce(liobn_.raw(), ioba(i), word.word());
		if (status == h_success)
			return {};
	}
	tcewin_host_event(nullptr, TCEWIN_EVENT_FIRMWARE, "H_PUT_TCE", status);
	return fail(TCEWIN_FIRMWARE_ERROR);
}

Result<> Paravirt::put_each(TceIndex first, std::span<const Tce> words)
{
	for (const Tce &tce : words) {
		TRY(set(first, tce));
		first = first + TceCount{1};
	}
	return {};
}

Result<> Paravirt::clear_each(TceIndex first, TceCount count)
{
	for (u64 i = 0; i < count.raw(); i++)
		TRY(set(first + TceCount{i}, Tce{}));
	return {};
}

} // namespace tcewin
