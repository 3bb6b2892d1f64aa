// SPDX-License-Identifier: GPL-2.0-only
// What is mapped is given back by a proof that no table translates it: nobody but Window makes one, it is of the
// entries that were cleared, and it is spent once. As units.cc.
#include "ledger.hh"
#include "window_table.hh"

using namespace tcewin;

namespace
{

constexpr TceRange range{TceIndex{1}, TceCount{1}};

void forget(Ledger &ledger, Run *run, Settled proof, Settled another, Settled third)
{
	ledger.erase(nullptr);		       // expected-error {{too few arguments}}
	ledger.erase(range, nullptr);	       // expected-error {{no viable conversion}}
	ledger.erase(Settled{range}, nullptr); // expected-error {{calling a private constructor}}
	ledger.erase(Settled{}, nullptr);      // expected-error {{no matching constructor}}
	ledger.erase(proof, nullptr);	       // expected-error {{call to deleted constructor}}
	ledger.erase(std::move(proof), nullptr);
	ledger.erase_one(run, another); // expected-error {{call to deleted constructor}}
	ledger.erase_one(run, std::move(another));
	another = std::move(third); // expected-error {{overload resolution selected deleted operator '='}}
	third.range() = range;
}

// That one table does not translate it says nothing of the others.
void of_one_table(Ledger &ledger, WindowTable &table, Emptied one, Settled all)
{
	ledger.erase(std::move(one), nullptr); // expected-error {{no viable conversion}}
	table.settle(std::move(all));	       // expected-error {{no viable conversion}}
	table.settle(std::move(one));
}

// Nor is it dropped where it was to be spent.
Settled cleared();
void unspent()
{
	cleared(); // expected-error {{ignoring return value}}
}

} // namespace
