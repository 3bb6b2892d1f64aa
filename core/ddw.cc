// SPDX-License-Identifier: GPL-2.0-only
#include "ddw.hh"

#include <bit>

namespace tcewin
{

namespace
{

// RTAS status words, LoPAR 7.3.
enum : int { rtas_success = 0, rtas_parameter = -3 };

// Makes the call until firmware is not busy; the status it ended with.
template <class Call>
int until_done(void *host, const char *what, Call call)
{
	int status;
	do
		status = call();
	while (tcewin_host_rtas_wait(status));
	if (status != rtas_success && status != TCEWIN_DDW_NO_MEMORY)
		tcewin_host_event(host, TCEWIN_EVENT_FIRMWARE, what, status);
	return status;
}

Result<> answer(int status) { return status == rtas_success ? Result<>{} : fail(TCEWIN_FIRMWARE_ERROR); }

} // namespace

Result<tcewin_ddw_query> Ddw::query() const
{
	tcewin_ddw_query q{};
	TRY(answer(until_done(host_, "ibm,query-pe-dma-windows", [&] { return tcewin_host_ddw_query(host_, &q); })));
	return q;
}

Result<tcewin_ddw_window> Ddw::create(PageShift page, Bytes size) const
{
	tcewin_ddw_window made{};
	const auto window_shift = static_cast<u32>(std::countr_zero(size.raw()));
	const int status = until_done(host_, "ibm,create-pe-dma-window",
				      [&] { return tcewin_host_ddw_create(host_, page.raw(), window_shift, &made); });
	if (status == rtas_parameter)
		return fail(TCEWIN_TOO_LARGE);
	if (status == TCEWIN_DDW_NO_MEMORY)
		return fail(TCEWIN_NO_MEMORY);
	TRY(answer(status));
	return made;
}

Result<> Ddw::remove(Liobn liobn, Absent absent) const
{
	const int status = until_done(host_, "ibm,remove-pe-dma-window",
				      [&] { return tcewin_host_ddw_remove(host_, liobn.raw()); });
	return answer(status == rtas_parameter && absent == Absent::is_gone ? rtas_success : status);
}

Result<> Ddw::reset() const
{
	return answer(until_done(host_, "ibm,reset-pe-dma-windows", [&] { return tcewin_host_ddw_reset(host_); }));
}

} // namespace tcewin
