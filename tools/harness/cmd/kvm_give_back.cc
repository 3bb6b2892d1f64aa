// SPDX-License-Identifier: GPL-2.0-only
// What must hold after any race on entries of the window, however it left them: memory that UNREGISTER_MEMORY takes
// back is reached through none of them.
#include <algorithm>
#include <vector>

#include "cmd/kvm_bench.hh"
#include "lib/pattern.hh"

namespace harness
{

namespace
{

constexpr auto near = Kvm_bench::near, far = Kvm_bench::far;

void not_reached(Kvm_bench &b, const char *name, std::size_t unit, std::size_t count, std::uint64_t entries)
{
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
	b.report.check(fmt::format("device reaches nothing of the {} units, which were given back", name), same,
		       same ? "nothing" : "REACHED");
}

} // namespace

void kvm_give_back(Kvm_bench &b, std::uint64_t entries)
{
	auto near_gone = b.dismiss(near, Kvm_bench::near_units), far_gone = b.dismiss(far, Kvm_bench::far_units);
	auto fair = [](const Result<> &done) { return done || done.error() == Errno{EBUSY}; };
	b.report.check("UNREGISTER_MEMORY works, or says EBUSY", fair(near_gone) && fair(far_gone),
		       fmt::format("near {}, far {}", outcome(near_gone), outcome(far_gone)));
	if (near_gone)
		not_reached(b, "near", near, Kvm_bench::near_units, entries);
	if (far_gone)
		not_reached(b, "far", far, Kvm_bench::far_units, entries);
	b.report.step("UNMAP_DMA of all", b.unmap(0, entries));
	if (near_gone)
		b.report.step("REGISTER_MEMORY again", b.enroll(near, Kvm_bench::near_units));
	if (far_gone)
		b.report.step("REGISTER_MEMORY again", b.enroll(far, Kvm_bench::far_units));
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
