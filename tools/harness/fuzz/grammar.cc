// SPDX-License-Identifier: GPL-2.0-only
// The grammar of histories: a container that comes to life, then phrases, most of which have a point that the devices
// look at. Choices that are likely to work are likely, so that states deep inside are reached.
#include "fuzz/history.hh"
#include "cmd/random_ioctls.hh"

namespace harness::fuzz
{

namespace
{

using Numbers = std::array<std::uint8_t, 8>;

class Writer
{
public:
	explicit Writer(std::uint64_t seed) : random_{seeded(seed)} {}

	History write()
	{
		history_.storm = one_in(3);
		two_groups_ = one_in(3);
		auto live = two_groups_ ? 1u : 1 + below(2);
		for (unsigned c = 0; c < live; ++c)
			begin(c);
		auto length = 5 + below(6);
		for (unsigned i = 0; i < length; ++i)
			phrase(below(live));
		for (int i = 0; i < 2; ++i)
			probe_last();
		return std::move(history_);
	}

private:
	unsigned below(unsigned limit) { return static_cast<unsigned>(random_() >> 8) % limit; }
	bool one_in(unsigned n) { return below(n) == 0; }
	unsigned oddity() { return one_in(8) ? 1 + below(255) : 0; }

	void add(unsigned actor, Verb verb, Numbers n, Hold hold = Hold::none)
	{
		auto span = hold == Hold::argument ? 1 + below(6) : 0;
		if (history_.operations.size() < operations_max)
			history_.operations.push_back(
				{static_cast<std::uint8_t>(actor), verb, hold, n, static_cast<std::uint8_t>(span)});
	}
	Hold sometimes_held() { return one_in(5) ? Hold::argument : one_in(12) ? Hold::behind : Hold::none; }
	// Of container c: its process, or now and then any.
	unsigned somebody(unsigned c) { return (one_in(6) ? below(processes) : c) * threads + below(threads); }
	static std::uint8_t byte(unsigned n) { return static_cast<std::uint8_t>(n); }

	void begin(unsigned c)
	{
		auto actor = c * threads;
		v1_[c] = !two_groups_ && one_in(3);
		add(actor, Verb::join, {byte(c), byte(c)});
		bool second = two_groups_ && one_in(2);
		if (second)
			add(actor, Verb::join, {byte(c), 1});
		add(actor, Verb::type, {byte(c), byte(v1_[c] ? 0 : 1)}, one_in(8) ? Hold::behind : Hold::none);
		if (one_in(4))
			call_into_it_before(c);
		prepare(c);
		if (two_groups_ && !second)
			add(actor, Verb::join, {byte(c), 1});
	}

	// Somebody else is in a call when the container becomes its owner's.
	void call_into_it_before(unsigned c)
	{
		auto other = (c + 1 + below(2)) % processes * threads;
		add(other, v1_[c] ? Verb::enable : Verb::reg, {byte(c), 5, 0, 0}, Hold::argument);
		add(other + 1, Verb::map, {byte(c), 0, byte(below(4)), 0, 0, byte(below(4)), 0, 0}, Hold::argument);
	}

	void prepare(unsigned c)
	{
		auto actor = c * threads;
		if (v1_[c]) {
			add(actor, Verb::enable, {byte(c)});
			return;
		}
		known_[c] = 2 + below(3);
		for (unsigned b = 0; b < known_[c]; ++b)
			add(actor + below(threads), Verb::reg, {byte(c), byte(b), 0, 0}, sometimes_held());
		second_[c] = one_in(2);
		if (second_[c])
			add(actor, Verb::create, {byte(c), byte(below(2)), 0, byte(below(2)), 0}, sometimes_held());
	}

	// Where, of what: remembered for what follows.
	void map(unsigned c, unsigned actor)
	{
		auto window = !v1_[c] && (second_[c] ? one_in(2) : one_in(8)) ? 1u : 0u;
		auto block = one_in(8) ? below(9) : below(v1_[c] ? 4 : known_[c]);
		last_[c] = {byte(window), byte(below(4)), byte(one_in(4) ? below(6) : 0), byte(block), byte(below(4))};
		add(actor, Verb::map,
		    {byte(c), last_[c][0], last_[c][1], last_[c][2], last_[c][3], last_[c][4],
		     byte(one_in(12)  ? 3
			  : one_in(4) ? 1 + below(2)
				      : 0),
		     byte(oddity())},
		    sometimes_held());
	}
	void unmap(unsigned c, unsigned actor)
	{
		add(actor, Verb::unmap,
		    {byte(c), last_[c][0], last_[c][1], byte(one_in(4) ? below(8) : last_[c][2]), byte(oddity())},
		    sometimes_held());
	}
	void probe(unsigned c)
	{
		auto write = byte(below(5) > 1), cell = byte(one_in(6) ? below(4) : 0);
		Numbers there{last_[c][0], last_[c][1], cell, write};
		bool both = two_groups_ || one_in(4);
		auto first = two_groups_ ? 0 : c;
		add(workers + first, Verb::probe, there, both ? Hold::behind : Hold::none);
		if (both)
			add(workers + 1 - first, Verb::probe, {last_[1 - c % 2][0], last_[c][1], cell, write});
	}
	void probe_last()
	{
		probe(0);
		if (!two_groups_)
			probe(1);
	}

	void phrase(unsigned c)
	{
		auto owner = c * threads + below(threads), anybody = somebody(c);
		switch (below(12)) {
		case 0:
			map(c, owner);
			probe(c);
			unmap(c, anybody);
			probe(c);
			break;
		case 1: // memory that is mapped
			map(c, owner);
			add(owner, Verb::unreg, {byte(c), last_[c][3], 0, byte(oddity())}, sometimes_held());
			probe(c);
			break;
		case 2:
			map(c, owner);
			map(c, owner);
			probe(c);
			break;
		case 3:
			map(c, owner);
			foreign(c);
			probe(c);
			break;
		case 4:
			map(c, owner);
			window(c, anybody);
			probe(c);
			break;
		case 5:
			map(c, owner);
			leave_and_come_back(c);
			break;
		case 6:
			map(c, owner);
			add(owner, Verb::lose, {last_[c][3], byte(below(5))});
			probe(c);
			break;
		case 7:
			if (one_in(3))
				add(owner, one_in(2) ? Verb::kill : Verb::exec, {});
			else
				add(owner, Verb::fork, {byte(c)}, Hold::behind);
			probe(c);
			break;
		default:
			for (auto few = 1 + below(4); few > 0; --few)
				anything(c);
		}
	}

	void foreign(unsigned c)
	{
		auto actor = (c + 1 + below(2)) % processes * threads + below(threads);
		switch (below(4)) {
		case 0:
			map(c, actor);
			break;
		case 1:
			unmap(c, actor);
			break;
		case 2:
			add(actor, Verb::reg, {byte(c), byte(below(4)), 0, 0});
			map(c, actor);
			break;
		default:
			add(actor, Verb::unreg, {byte(c), last_[c][3], 0, 0});
		}
	}
	void window(unsigned c, unsigned actor)
	{
		if (v1_[c])
			add(actor, Verb::disable, {byte(c)});
		else
			add(actor, Verb::remove, {byte(c), byte(one_in(4) ? below(6) : last_[c][0]), byte(oddity())},
			    sometimes_held());
		if (v1_[c])
			add(actor, Verb::enable, {byte(c)});
		else
			add(actor, Verb::create, {byte(c), byte(below(3)), 0, byte(below(3)), byte(oddity())},
			    sometimes_held());
	}
	void leave_and_come_back(unsigned c)
	{
		auto group = byte(two_groups_ ? below(2) : c), actor = byte(somebody(c));
		add(actor, Verb::leave, {group}, sometimes_held());
		probe(c);
		add(actor, Verb::join, {byte(c), group});
		v1_[c] = !two_groups_ && one_in(3);
		add(actor, Verb::type, {byte(c), byte(v1_[c] ? 0 : 1)});
		prepare(c);
	}
	void anything(unsigned c)
	{
		auto verb = static_cast<Verb>(below(static_cast<unsigned>(Verb::close)));
		auto actor = somebody(c);
		if (verb == Verb::map)
			return map(c, actor);
		if (verb == Verb::unmap)
			return unmap(c, actor);
		Numbers n{byte(verb == Verb::leave ? below(2) : c)};
		for (std::size_t i = 1; i < arguments_of(verb); ++i)
			n[i] = byte(one_in(2) ? below(4) : below(256));
		if (auto count = arguments_of(verb); count > 2)
			n[count - 1] = byte(oddity());
		add(actor, verb, n, sometimes_held());
	}

	Random random_;
	History history_;
	bool two_groups_ = false;
	std::array<bool, containers> v1_{}, second_{};
	std::array<unsigned, containers> known_{2, 2};		     // blocks from the first on that are registered
	std::array<std::array<std::uint8_t, 5>, containers> last_{}; // window, slot, size, block, cell
};

} // namespace

History make_history(std::uint64_t seed) { return Writer{seed}.write(); }

} // namespace harness::fuzz
