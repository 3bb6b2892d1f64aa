// SPDX-License-Identifier: GPL-2.0-only
// What clang warns of, and -Werror turns down: a result that nobody looks at, a guarded value touched without its lock. As units.cc.
#include "lock.hh"

#include "units.hh"

using namespace tcewin;

namespace
{

// A result is looked at.
Result<Bytes> answer() { return Bytes{1}; }
Result<> yes() { return {}; }
void look()
{
	(void)answer();
	answer(); // expected-error {{ignoring return value}}
	yes();	  // expected-error {{ignoring return value}}
}

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
