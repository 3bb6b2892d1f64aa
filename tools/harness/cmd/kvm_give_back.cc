// SPDX-License-Identifier: GPL-2.0-only
// What must hold after any race on entries of the window, however it left them: memory that UNREGISTER_MEMORY takes
// back is reached through none of them.
#include <algorithm>
#include <array>
#include <vector>

#include "cmd/kvm_bench.hh"
#include "lib/pattern.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near, far = Kvm_bench::far;

void not_reached(Kvm_bench &b, const char *name, const Result<> &gone, std::size_t unit, std::size_t count,
		 std::uint64_t entries)
{
	const auto words = fmt::format("device reaches nothing of the {} units, where they were given back", name);
	if (!gone)
		return (void)b.report.check(words, true, "still registered");
	constexpr std::uint64_t old = 41, sent = 42; // seeds
	constexpr std::uint32_t length = 64;
	auto memory = b.bytes(unit, 0, count * Kvm_bench::unit_size());
	auto &edu = b.rig->edu();
	fill(memory, old);
	std::vector<std::byte> before(memory.begin(), memory.end());
	fill(b.bytes(Kvm_bench::scratch_unit, 0, length), sent);
	auto tried = edu.from_ram(b.info.dma32_window_start, 0, length);
	for (std::uint64_t entry = 0; tried && entry < entries; ++entry)
		tried = edu.to_ram(0, b.iova(entry), length);
	if (!tried)
		return (void)b.report.step("the device", tried);
	bool same = std::ranges::equal(memory, before);
	b.report.check(words, same, same ? "nothing" : "REACHED");
}

} // namespace

// The same number of checks whatever the race left registered: the step's count is a promise.
void kvm_give_back(Kvm_bench &b, std::uint64_t entries)
{
	struct Part {
		const char *name;
		std::size_t unit, count;
		Result<> gone;
	};
	std::array parts{Part{"near", near, Kvm_bench::near_units, {}}, Part{"far", far, Kvm_bench::far_units, {}}};
	for (auto &part : parts)
		part.gone = b.dismiss(part.unit, part.count);
	for (const auto &part : parts)
		b.report.check(fmt::format("UNREGISTER_MEMORY of the {} units works, or says EBUSY", part.name),
			       part.gone || part.gone.error() == Errno{EBUSY}, outcome(part.gone));
	for (const auto &part : parts)
		not_reached(b, part.name, part.gone, part.unit, part.count, entries);
	b.report.step("UNMAP_DMA of all", b.unmap(0, entries));
	for (const auto &part : parts)
		b.report.step(fmt::format("the {} units are registered", part.name).c_str(),
			      part.gone ? b.enroll(part.unit, part.count) : Result<>{});
}

void kvm_count(Tally &tally, const char *name, const Result<Answer> &answer)
{
	if (answer && !*answer)
		tally(name, Result<>{fail(EAGAIN)}); // left to us
	else if (answer && **answer != h_success)
		tally(name, Result<>{fail(EINVAL)});
	else
		tally(name, answer);
}

} // namespace harness
