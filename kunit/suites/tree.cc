// SPDX-License-Identifier: GPL-2.0-only
// The tree against a sorted array, and its depth where the user chooses the keys.
#include "tree.hh"

#include "random.hh"
#include "vector.hh"

using namespace tcewin;
using tcewin::test::Random;
using tcewin::test::Test;
using tcewin::test::Vector;

namespace
{

struct Node : TreeNode<Node> {
	explicit Node(u64 k) : k{k} {}
	u64 key() const { return k; }
	u64 k;
};

// A tree, and its nodes in order of their keys.
struct Pair {
	~Pair()
	{
		for (Node *n : sorted)
			tcewin_run_free(n);
	}
	u64 place(u64 key) const
	{
		return sorted.partition([=](const Node *n) { return n->k < key; });
	}
	bool add(u64 key)
	{
		const u64 at = place(key);
		if (at < sorted.size() && sorted[at]->k == key)
			return false;
		auto *n = ::new (tcewin_run_alloc(sizeof(Node))) Node{key};
		tree.insert(n);
		sorted.insert(at, n);
		return true;
	}
	void drop(u64 at)
	{
		Node *n = sorted[at];
		tree.erase(n);
		sorted.erase(at);
		tcewin_run_free(n);
	}
	Tree<Node> tree;
	Vector<Node *> sorted;
};

void expect_order(Test &t, const Pair &p)
{
	u64 i = 0;
	for (Node *n = p.tree.first(); n; n = Tree<Node>::next(n)) {
		ASSERT(i < p.sorted.size());
		ASSERT_EQ(n, p.sorted[i++]);
	}
	EXPECT_EQ(i, p.sorted.size());
	EXPECT_EQ(p.tree.empty(), p.sorted.empty());
}

void expect_lookup(Test &t, const Pair &p, u64 key)
{
	const u64 at = p.place(key);
	const bool exact = at < p.sorted.size() && p.sorted[at]->k == key;
	Node *after = at < p.sorted.size() ? p.sorted[at] : nullptr;
	Node *before = exact ? after : at ? p.sorted[at - 1] : nullptr;
	EXPECT_EQ(p.tree.at_or_after(key), after);
	EXPECT_EQ(p.tree.at_or_before(key), before);
}

void against_array(Test &t)
{
	Pair p;
	Random random{11};
	for (unsigned i = 0; i < t.rounds(20000) && !t.failed(); i++) {
		// grows and shrinks in turns
		const bool grow = random.below(100) < (i / 500 % 2 ? 30 : 70);
		if (grow)
			p.add(random.below(300) * (random.one_in(10) ? u64{1} << 50 : 1));
		else if (!p.sorted.empty())
			p.drop(random.below(p.sorted.size()));
		expect_lookup(t, p, random.below(310));
		expect_lookup(t, p, random.next());
		if (i % 16 == 0)
			expect_order(t, p);
	}
	while (!p.sorted.empty())
		p.drop(0);
	expect_order(t, p);
}

void edges(Test &t)
{
	Pair p;
	expect_lookup(t, p, 0);
	p.add(~u64{0});
	p.add(0);
	for (u64 key : {u64{0}, u64{1}, ~u64{0} - 1, ~u64{0}})
		expect_lookup(t, p, key);
	p.drop(0);
	expect_lookup(t, p, 0);
	p.drop(0);
	expect_order(t, p);
}

// Ascending keys, as most users map, make no list of it.
void depth(Test &t)
{
	for (bool up : {true, false}) {
		Pair p;
		const u64 n = t.rounds(20000);
		for (u64 i = 0; i < n; i++)
			p.add(up ? i : n - i);
		u64 deepest = 0;
		for (const Node *node : p.sorted) {
			u64 d = 0;
			for (const Node *up_from = node; up_from; up_from = up_from->parent)
				d++;
			deepest = d > deepest ? d : deepest;
		}
		EXPECT(deepest <= 64);
	}
}

constexpr tcewin_case cases[] = {CASE(against_array), CASE(edges), CASE(depth)};

} // namespace

TCEWIN_SUITE(tree, cases);
