// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/kvm_bench.hh"

#include <cstring>

namespace harness
{

namespace
{

std::string text_of(const Result<Answer> &answer)
{
	if (!answer)
		return answer.error().name();
	return *answer ? fmt::format("{}", **answer) : "left to us";
}

} // namespace

bool Kvm_bench::create_window(unsigned shift)
{
	auto start = container().tce_create(shift, window_size, 1);
	if (!report.step(fmt::format("TCE_CREATE a DDW ({} KiB pages)", (1ull << shift) >> 10), start))
		return false;
	window = *start;
	window_shift = shift;
	return true;
}

bool Kvm_bench::renew_probe()
{
	probe.reset();
	auto scratch_iova = info.dma32_window_start;
	if (!report.step("MAP_DMA the scratch in the default window",
			 container().map(scratch_iova, vaddr(scratch_unit), 4096, Access::both)))
		return false;
	probe.emplace(rig->edu(), bytes(scratch_unit, 0, 4096), scratch_iova, memory->bytes());
	return true;
}

bool Kvm_bench::set_up_container(unsigned shift, std::optional<Buffer> given)
{
	if (!given) {
		auto fresh = Buffer::anonymous(units * unit_size(), unit_size());
		if (!report.step("allocate memory", fresh))
			return false;
		memory.emplace(std::move(*fresh));
	} else {
		memory.emplace(std::move(*given));
	}
	auto opened = Rig::open(function);
	if (!report.step("open container, group, device; SET_IOMMU type 7", opened))
		return false;
	rig = std::move(*opened);
	auto known = container().get_info();
	if (!report.step("GET_INFO", known))
		return false;
	info = *known;
	return report.step("REGISTER_MEMORY the scratch", enroll(scratch_unit, 1)) &&
	       report.step("REGISTER_MEMORY the near units", enroll(near, near_units)) &&
	       report.step("REGISTER_MEMORY the far units", enroll(far, far_units)) && renew_probe() &&
	       create_window(shift);
}

bool Kvm_bench::set_up_machine()
{
	auto made = Vm::create(memory->bytes());
	if (!report.step("a virtual machine, its CPU at its first hypercall", made))
		return false;
	vm.emplace(std::move(*made));
	auto device = Kvm_vfio::create(*vm);
	if (!report.step("KVM's VFIO device", device))
		return false;
	vfio.emplace(std::move(*device));
	return report.step("KVM_DEV_VFIO_GROUP_ADD", vfio->add(rig->group()));
}

std::optional<Kvm_table> Kvm_bench::make_table(std::uint64_t its_liobn, unsigned shift)
{
	auto made =
		Kvm_table::create(*vm, {.liobn = its_liobn, .page_shift = shift, .start = window, .size = window_size});
	if (!report.step(fmt::format("KVM_CREATE_SPAPR_TCE_64 ({} KiB pages)", (1ull << shift) >> 10), made))
		return std::nullopt;
	return std::move(*made);
}

bool Kvm_bench::join(const Kvm_table &its, Errno expected)
{
	return report.step(fmt::format("SET_SPAPR_TCE of start {:#x}, {} MiB, {} KiB pages", its.shape().start,
				       its.shape().size >> 20, (1ull << its.shape().page_shift) >> 10),
			   vfio->join(rig->group(), its), expected);
}

bool Kvm_bench::set_up()
{
	if (!set_up_container() || !set_up_machine())
		return false;
	auto made = make_table(liobn, window_shift);
	if (!made)
		return false;
	table.emplace(std::move(*made));
	return join(*table);
}

Result<Answer> Kvm_bench::put(std::uint64_t entry, std::size_t unit, std::uint64_t permission, std::uint64_t in)
{
	return put_tce(vm->cpu(), in, iova(entry), gpa(unit) | permission);
}

std::uint64_t Kvm_bench::write_list(std::span<const std::uint64_t> tces, unsigned cpu)
{
	auto at = list * (cpu + 1);
	for (std::size_t i = 0; i < tces.size(); ++i) {
		auto big_endian = __builtin_bswap64(tces[i]);
		std::memcpy(memory->bytes().data() + at + i * sizeof big_endian, &big_endian, sizeof big_endian);
	}
	return at;
}

Result<Answer> Kvm_bench::put_list(std::uint64_t entry, std::span<const std::uint64_t> tces, std::uint64_t in)
{
	return put_tce_indirect(vm->cpu(), in, iova(entry), write_list(tces), tces.size());
}

Result<Answer> Kvm_bench::stuff(std::uint64_t entry, std::uint64_t count, std::uint64_t in)
{
	return stuff_tce(vm->cpu(), in, iova(entry), tce_none, count);
}

Result<> Kvm_bench::map(std::uint64_t entry, std::size_t unit) const
{
	return container().map(iova(entry), vaddr(unit), 1ull << window_shift, Access::both);
}

Result<> Kvm_bench::unmap(std::uint64_t entry, std::uint64_t count) const
{
	return container().unmap(iova(entry), count << window_shift);
}

Result<> Kvm_bench::enroll(std::size_t unit, std::size_t count) const
{
	return container().register_memory(vaddr(unit), count * unit_size());
}

Result<> Kvm_bench::dismiss(std::size_t unit, std::size_t count) const
{
	return container().unregister_memory(vaddr(unit), count * unit_size());
}

bool Kvm_bench::answered(std::string_view what, const Result<Answer> &answer, std::int64_t wanted)
{
	return report.check(what, answer && *answer && **answer == wanted, text_of(answer));
}

bool Kvm_bench::left_to_us(std::string_view what, const Result<Answer> &answer)
{
	return report.check(what, answer && !*answer, text_of(answer));
}

void Kvm_bench::told(std::string_view what, const Result<Answer> &answer)
{
	report.check(what, answer.has_value(), text_of(answer));
}

bool Kvm_bench::moves(std::string_view what, std::uint64_t write_at, std::uint64_t read_at, std::size_t unit,
		      std::size_t offset)
{
	constexpr std::size_t inside = 100; // of a page
	Pieces pieces{bytes(unit, offset + inside)};
	auto written = probe->write(write_at + inside, pieces), read = probe->read(read_at + inside, pieces);
	if (!written || !read)
		return report.step(what, written ? read : written);
	return report.check(fmt::format("device moves data: {}", what),
			    *written == Reach::arrived && *read == Reach::arrived,
			    fmt::format("written {}, read {}", name_of(*written), name_of(*read)));
}

bool Kvm_bench::misses(std::string_view what, std::uint64_t entry, std::size_t unit)
{
	constexpr std::size_t inside = 100;
	Pieces pieces{bytes(unit, inside)};
	auto written = probe->write(iova(entry) + inside, pieces);
	return expect_reach(report, fmt::format("device reaches nothing: {}", what), written, Reach::nothing);
}

bool Kvm_bench::dismissed(std::string_view what, std::size_t unit, std::size_t count, Errno expected)
{
	return report.step(fmt::format("UNREGISTER_MEMORY: {}", what), dismiss(unit, count), expected);
}

void Kvm_bench::drop_container()
{
	probe.reset();
	rig.reset();
}

} // namespace harness
