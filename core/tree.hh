// SPDX-License-Identifier: GPL-2.0-only
// An ordered set of objects that carry their own links (a treap: heap-ordered by a pseudo-random priority, so its depth
// is logarithmic whatever the order of insertion). Allocates nothing, cannot fail, does not recurse. Used by Ledger and
// RegionSet.
#pragma once

#include "units.hh"

namespace tcewin
{

template <class T>
struct TreeNode {
	T *left{};
	T *right{};
	T *parent{};
	u64 priority{};
};

// T derives from TreeNode<T> and has `u64 key() const`, unique in the tree and unchanged while it is there.
template <class T>
class Tree
{
public:
	Tree() = default;
	Tree(const Tree &) = delete;

	bool empty() const { return !root_; }
	T *first() const { return root_ ? leftmost(root_) : nullptr; }

	// The next greater one, or nullptr.
	static T *next(const T *n)
	{
		if (n->right)
			return leftmost(n->right);
		while (n->parent && n->parent->right == n)
			n = n->parent;
		return n->parent;
	}

	// The greatest with key() <= @key, or nullptr.
	T *at_or_before(u64 key) const
	{
		T *best = nullptr;
		for (T *n = root_; n;) {
			if (n->key() <= key) {
				best = n;
				n = n->right;
			} else {
				n = n->left;
			}
		}
		return best;
	}

	// The least with key() >= @key, or nullptr.
	T *at_or_after(u64 key) const
	{
		T *best = nullptr;
		for (T *n = root_; n;) {
			if (n->key() >= key) {
				best = n;
				n = n->left;
			} else {
				n = n->right;
			}
		}
		return best;
	}

	void insert(T *n)
	{
		T *parent = nullptr;
		T **link = &root_;
		while (*link) {
			parent = *link;
			link = n->key() < parent->key() ? &parent->left : &parent->right;
		}
		n->left = n->right = nullptr;
		n->parent = parent;
		n->priority = random();
		*link = n;
		while (n->parent && n->parent->priority < n->priority)
			rotate_up(n);
	}

	void erase(T *n)
	{
		while (n->left && n->right)
			rotate_up(n->left->priority > n->right->priority ? n->left : n->right);
		T *child = n->left ? n->left : n->right;
		replace_in_parent(n, child);
		if (child)
			child->parent = n->parent;
		n->left = n->right = n->parent = nullptr;
	}

private:
	static T *leftmost(T *n)
	{
		while (n->left)
			n = n->left;
		return n;
	}

	void replace_in_parent(T *old, T *with)
	{
		if (!old->parent)
			root_ = with;
		else if (old->parent->left == old)
			old->parent->left = with;
		else
			old->parent->right = with;
	}

	// @n takes its parent's place and the parent becomes its child; the order stays.
	void rotate_up(T *n)
	{
		T *p = n->parent;
		T *moved = p->left == n ? n->right : n->left;
		replace_in_parent(p, n);
		n->parent = p->parent;
		if (p->left == n) {
			p->left = moved;
			n->right = p;
		} else {
			p->right = moved;
			n->left = p;
		}
		p->parent = n;
		if (moved)
			moved->parent = p;
	}

	// splitmix64: the user chooses keys, not priorities.
	u64 random()
	{
		u64 z = (state_ += 0x9e3779b97f4a7c15);
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
		return z ^ (z >> 31);
	}

	T *root_{};
	u64 state_{reinterpret_cast<u64>(this)};
};

} // namespace tcewin
