// SPDX-License-Identifier: GPL-2.0-only
// Who changes what a container has holds its lock alone, and proves it by the guard that he hands on. As units.cc.
#include "container.hh"

using namespace tcewin;

namespace
{

class Owner
{
	Lock lock_{nullptr};
	RegionSet regions_ GUARDED_BY(lock_);
	Owned<Region> region_;
	Enabled enabled_ GUARDED_BY(lock_);

public:
	void alone()
	{
		const Exclusive hold{lock_};
		(void)regions_.remove(hold, UserVa{0}, Bytes{0});
		enabled_.end(hold);
	}
	void beside_others(Window &window, Pe &pe)
	{
		const Shared hold{lock_};
		// expected-error@+1 {{no viable conversion from 'const Shared' to 'const Exclusive'}}
		(void)regions_.add(hold, region_);
		// expected-error@+1 {{no viable conversion from 'const Shared' to 'const Exclusive'}}
		(void)regions_.remove(hold, UserVa{0}, Bytes{0});
		// expected-error@+1 {{no viable conversion from 'const Shared' to 'const Exclusive'}}
		enabled_.end(hold);
		// expected-error@+1 {{no viable conversion from 'const Shared' to 'const Exclusive'}}
		(void)window.remove(hold);
		// expected-error@+1 {{no viable conversion from 'const Shared' to 'const Exclusive'}}
		(void)window.leave(hold, pe);
	}
};

} // namespace
