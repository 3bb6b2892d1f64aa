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
	// It is still there when this fails. That there is none is no failure.
	Result<> remove(Liobn liobn) const;
	// Ends every DDW and brings the default window back; what that one holds is not promised.
	Result<> reset() const;

private:
	void *host_;
};

} // namespace tcewin
