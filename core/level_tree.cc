// SPDX-License-Identifier: GPL-2.0-only
#include "level_tree.hh"

#include <algorithm>
#include <atomic>
#include <bit>

namespace tcewin
{

namespace
{

constexpr u32 levels_max = 5;	      // IODA2, and what the platform's calls take
constexpr u32 level_bytes_shift = 16; // no larger piece of contiguous memory is asked for
constexpr u32 host_pages_shift = 2;   // but so many host pages, where no other shape holds the entries
constexpr u32 walked_bits = 55;	      // of an address that hardware translates, the page's included
constexpr u32 word_shift = 3;

// A level's word for the level below it; without permissions hardware does not follow it.
Tce link(HostPhys level, Access access) { return Tce{level, access}; }

Tce *follow(Tce word) { return word == Tce{} ? nullptr : static_cast<Tce *>(tcewin_host_level_at(word.real().raw())); }

} // namespace

Result<LevelTree::Shape> LevelTree::shape(const WindowGeometry &geometry, u32 asked, PageShift host_page)
{
	const auto bits = static_cast<u32>(std::bit_width(geometry.entries().raw() - 1));
	const u32 smallest = host_page.raw() - word_shift;
	const u32 usual = std::max(level_bytes_shift - word_shift, smallest);
	for (const u32 largest : {usual, smallest + host_pages_shift})
		for (u32 levels = std::max(asked, 1U); levels <= levels_max; levels++) {
			const u32 shift = std::max((bits + levels - 1) / levels, smallest);
			if (shift <= largest && shift * levels + geometry.page_shift.raw() < walked_bits)
				return Shape{levels, shift};
		}
	return fail(TCEWIN_BAD_LEVELS);
}

Result<Owned<LevelTree>> LevelTree::create(void *mm, const WindowGeometry &geometry, u32 levels, Root first)
{
	const PageShift host_page = *PageShift::from(tcewin_host_page_shift());
	const Shape s = TRY(shape(geometry, levels, host_page));
	Charge charge = first == Root::free ? Charge::none(mm) : TRY(Charge::take(mm, s.level_bytes()));
	auto *root = static_cast<Tce *>(tcewin_host_level_alloc(s.level_bytes()));
	if (!root)
		return fail(TCEWIN_NO_MEMORY);
	auto tree = make<LevelTree>(s, root, std::move(charge));
	if (!tree)
		tcewin_host_level_free(root, s.level_bytes());
	return tree;
}

LevelTree::~LevelTree() { free_level(root_, shape_.levels - 1); }

// With all that is below it; how many they were.
u64 LevelTree::free_level(Tce *level, u32 above)
{
	u64 freed = 1;
	for (u64 i = 0; above && i < u64{1} << shape_.shift; i++)
		if (Tce *below = follow(level[i]))
			freed += free_level(below, above - 1);
	tcewin_host_level_free(level, shape_.level_bytes());
	return freed;
}

// The last level that entry @i is in, or nullptr.
Tce *LevelTree::leaf(TceIndex i) const
{
	if (near({i, TceCount{1}}))
		return near_;
	Tce *level = root_;
	for (u32 above = shape_.levels - 1; above && level; above--)
		level = follow(level[slot(i, above)]);
	return level;
}

// What is missing on the way to entry @i is made, but not yet for hardware.
Result<> LevelTree::grow(TceIndex i, Patience patience)
{
	const bool now = patience == Patience::now;
	const std::size_t bytes = shape_.level_bytes();
	Tce *level = root_;
	for (u32 above = shape_.levels - 1; above; above--) {
		Tce &word = level[slot(i, above)];
		Tce *below = follow(word);
		if (!below) {
			below = static_cast<Tce *>(now ? tcewin_host_level_alloc_now(bytes)
						       : tcewin_host_level_alloc(bytes));
			if (!below)
				return fail(TCEWIN_NO_MEMORY);
			if (auto paid = now ? charge_.grow_now(bytes) : charge_.grow(bytes); !paid) {
				tcewin_host_level_free(below, bytes);
				return paid;
			}
			store(word, link(HostPhys{tcewin_host_real_address(below)}, Access::none));
		}
		level = below;
	}
	return {};
}

// f(word, the level behind it, levels below that) for the words that lead to entry @i, as far as there are any; false
// ends it.
template <class F>
void LevelTree::descend(TceIndex i, F f)
{
	Tce *level = root_;
	for (u32 above = shape_.levels - 1; above; above--) {
		Tce &word = level[slot(i, above)];
		level = follow(word);
		if (!level || !f(word, level, above - 1))
			return;
	}
}

Result<> LevelTree::reserve(TceRange range)
{
	if (near(range))
		return {};
	for (TceIndex at = range.first; at < range.end();) {
		auto r = grow(at, Patience::sleeps);
		at = end_of_leaf(at);
		if (r && at < range.end() && tcewin_host_yield())
			r = fail(TCEWIN_INTERRUPTED);
		if (!r) {
			take_back(range);
			return r;
		}
	}
	return {};
}

// What a failure leaves is a level without entries that hardware does not see: the next call finds it.
Result<> LevelTree::reserve_now(TceIndex i) { return near({i, TceCount{1}}) ? Result<>{} : grow(i, Patience::now); }

void LevelTree::show(TceRange range)
{
	if (near(range))
		return;
	// What the levels hold is there before anybody can see it.
	std::atomic_thread_fence(std::memory_order_release);
	for (TceIndex at = range.first; at < range.end(); at = end_of_leaf(at))
		descend(at, [](Tce &word, const Tce *, u32) {
			if (word.access() == Access::none)
				store(word, link(word.real(), Access::both));
			return true;
		});
	const TceIndex last{range.end().raw() - 1};
	near_ = leaf(last);
	near_number_ = last.raw() >> shape_.shift;
}

void LevelTree::take_back(TceRange range)
{
	for (TceIndex at = range.first; at < range.end(); at = end_of_leaf(at))
		descend(at, [&](Tce &word, Tce *level, u32 above) {
			if (word.access() != Access::none)
				return true;
			store(word, Tce{});
			charge_.shrink(free_level(level, above) * shape_.level_bytes());
			return false;
		});
}

void LevelTree::put(TceIndex first, std::span<const Tce> words)
{
	while (!words.empty()) {
		const u64 left = (end_of_leaf(first) - first).raw();
		const u64 n = std::min<u64>(left, words.size());
		Tce *to = leaf(first) + slot(first, 0);
		for (const Tce word : words.first(n))
			store(*to++, word.readable());
		words = words.subspan(n);
		first = first + TceCount{n};
	}
}

void LevelTree::clear_beside(TceIndex i) const
{
	Tce *level = root_;
	for (u32 above = shape_.levels - 1; above; above--) {
		const Tce word = std::atomic_ref{level[slot(i, above)]}.load(std::memory_order_acquire);
		if (word.access() == Access::none)
			return;
		level = follow(word);
	}
	store(level[slot(i, 0)], Tce{});
}

void LevelTree::clear(TceRange range)
{
	for (TceIndex at = range.first; at < range.end();) {
		const TceIndex end = std::min(end_of_leaf(at), range.end());
		if (Tce *level = leaf(at))
			for (u64 i = slot(at, 0), n = (end - at).raw(); n--; i++)
				store(level[i], Tce{});
		at = end;
	}
}

} // namespace tcewin
