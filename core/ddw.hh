// SPDX-License-Identifier: GPL-2.0-only
// The RTAS calls that make and end the windows of a PE (LoPAR, "Dynamic DMA Windows"). Each is repeated while firmware
// is busy; what it refuses is told the administrator here and becomes a Result. Used by Pe.
#pragma once

#include "result.hh"
#include "units.hh"

namespace tcewin
{

class Ddw
{
public:
	explicit Ddw(void *host) : host_{host} {}

	// FIRMWARE_ERROR, of all of them.
	Result<tcewin_ddw_query> query() const;
	// Where firmware puts it. TOO_LARGE.
	Result<tcewin_ddw_window> create(PageShift page, Bytes size) const;
	// It is still there when this fails. @absent: what it means when firmware knows no window of that name.
	enum class Absent { is_gone, is_refusal };
	Result<> remove(Liobn liobn, Absent absent) const;
	// Ends every DDW and brings the default window back; what that one holds is not promised.
	Result<> reset() const;

private:
	void *host_;
};

} // namespace tcewin
