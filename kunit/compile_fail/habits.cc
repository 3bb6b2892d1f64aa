// SPDX-License-Identifier: GPL-2.0-only
// What clang warns of, and -Werror turns down: a guarded value touched without its lock. As units.cc.
#include "lock.hh"

using namespace tcewin;

namespace
{

// What a lock guards is touched under it.
struct Guarded {
	Lock lock{nullptr};
	int value GUARDED_BY(lock){};
	void under_it()
	{
		const Exclusive hold{lock};
		value = 1;
	}
	int shared()
	{
		const Shared hold{lock};
		value = 2; // expected-error {{requires holding lock 'lock' exclusively}}
		return value;
	}
	int without() { return value; } // expected-error {{requires holding lock 'lock'}}
};

} // namespace
