// SPDX-License-Identifier: GPL-2.0-only
#include "lib/vm.hh"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>

namespace harness
{

namespace
{

// A hypercall that no kernel has ends up with us, registers and all; we answer with the next one to issue.
constexpr std::uint64_t idle = static_cast<std::uint64_t>(-4);
constexpr std::array<std::uint32_t, 5> program{
	0x44000022, // sc 1
	0x7c641b78, // mr r4,r3: the answer
	0x3860fffc, // li r3,-4: idle
	0x44000022, // sc 1
	0x4bfffff0, // b to the first
};
constexpr std::uint64_t entry = 8; // so that it is idle at once

// Real mode, 64 bits, machine checks on, in the byte order that we have ourselves.
constexpr std::uint64_t msr_sf = 1ull << 63, msr_me = 1ull << 12, msr_le = 1;

constexpr std::uint32_t small_hash_table = 18; // log2 of its bytes, the least there is

Result<> enable(const Fd &fd, std::uint32_t capability, std::uint64_t first = 0, std::uint64_t second = 0)
{
	kvm_enable_cap argument{};
	argument.cap = capability;
	argument.args[0] = first;
	argument.args[1] = second;
	return zero_expected(::ioctl(fd.get(), KVM_ENABLE_CAP, &argument));
}

} // namespace

Result<> Vm::prepare(const Fd &kvm, const Fd &vm, std::span<std::byte> memory)
{
	std::memcpy(memory.data(), program.data(), sizeof program);
	kvm_userspace_memory_region slot{};
	slot.memory_size = memory.size();
	slot.userspace_addr = reinterpret_cast<std::uint64_t>(memory.data());
	if (auto set = zero_expected(::ioctl(vm.get(), KVM_SET_USER_MEMORY_REGION, &slot)); !set)
		return set;
	for (auto call : {Hcall::put_tce, Hcall::stuff_tce, Hcall::put_tce_indirect})
		if (auto done = enable(vm, KVM_CAP_PPC_ENABLE_HCALL, static_cast<std::uint64_t>(call), 1); !done)
			return done;
	// With radix the machine starts as radix, and a hash table would change that.
	if (::ioctl(kvm.get(), KVM_CHECK_EXTENSION, KVM_CAP_PPC_MMU_RADIX) > 0)
		return {};
	auto order = small_hash_table;
	return zero_expected(::ioctl(vm.get(), KVM_PPC_ALLOCATE_HTAB, &order));
}

Result<Vm> Vm::create(std::span<std::byte> memory)
{
	auto kvm = Fd::open("/dev/kvm", O_RDWR);
	if (!kvm)
		return std::unexpected{kvm.error()};
	Fd vm{::ioctl(kvm->get(), KVM_CREATE_VM, 0)};
	if (!vm)
		return fail_errno();
	if (auto ready = prepare(*kvm, vm, memory); !ready)
		return std::unexpected{ready.error()};
	Vm made{std::move(*kvm), std::move(vm)};
	if (auto added = made.add_cpu(); !added)
		return std::unexpected{added.error()};
	return made;
}

Result<> Vm::add_cpu()
{
	auto made = Vcpu::create(kvm_, vm_, static_cast<unsigned>(cpus_.size()));
	if (!made)
		return std::unexpected{made.error()};
	cpus_.push_back(std::move(*made));
	return {};
}

void Vm::close()
{
	cpus_.clear();
	Fd vm{std::move(vm_)};
}

Result<long> Vm::check_extension(unsigned long capability) const
{
	return checked(::ioctl(fd(), KVM_CHECK_EXTENSION, capability));
}

Result<Vcpu> Vcpu::create(const Fd &kvm, const Fd &vm, unsigned number)
{
	Fd fd{::ioctl(vm.get(), KVM_CREATE_VCPU, number)};
	auto size = ::ioctl(kvm.get(), KVM_GET_VCPU_MMAP_SIZE, 0);
	if (!fd || size < 0)
		return fail_errno();
	void *run = ::mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
	if (run == MAP_FAILED)
		return fail_errno();
	Vcpu made{std::move(fd), static_cast<kvm_run *>(run), static_cast<std::size_t>(size)};
	if (auto ready = made.prepare(); !ready)
		return std::unexpected{ready.error()};
	if (auto entered = made.enter(); !entered)
		return std::unexpected{entered.error()};
	if (made.run_->papr_hcall.nr != idle)
		return fail(EIO);
	return made;
}

Vcpu::Vcpu(Vcpu &&other) noexcept
	: fd_{std::move(other.fd_)}, run_{std::exchange(other.run_, nullptr)}, run_size_{other.run_size_}
{
}

Vcpu::~Vcpu()
{
	if (run_)
		::munmap(run_, run_size_);
}

Result<> Vcpu::prepare() const
{
	if (auto done = enable(fd_, KVM_CAP_PPC_PAPR); !done)
		return done;
	kvm_regs registers{};
	registers.pc = entry;
	registers.msr = msr_sf | msr_me | (std::endian::native == std::endian::little ? msr_le : 0);
	return zero_expected(::ioctl(fd_.get(), KVM_SET_REGS, &registers));
}

// Until the next hypercall that is for us.
Result<> Vcpu::enter()
{
	while (::ioctl(fd_.get(), KVM_RUN, 0) != 0)
		if (errno != EINTR && errno != EAGAIN)
			return fail_errno();
	return run_->exit_reason == KVM_EXIT_PAPR_HCALL ? Result<>{} : fail(EIO);
}

Result<Answer> Vcpu::issue(Hcall call, const Arguments &arguments)
{
	run_->papr_hcall.ret = static_cast<std::uint64_t>(call);
	for (std::size_t i = 0; i < arguments.size(); ++i)
		run_->papr_hcall.args[i] = arguments[i];
	if (auto entered = enter(); !entered)
		return std::unexpected{entered.error()};
	if (run_->papr_hcall.nr == idle)
		return Answer{static_cast<std::int64_t>(run_->papr_hcall.args[0])};
	run_->papr_hcall.ret = static_cast<std::uint64_t>(-1); // any answer: it says that we were asked
	if (auto entered = enter(); !entered)
		return std::unexpected{entered.error()};
	return run_->papr_hcall.nr == idle ? Result<Answer>{Answer{}} : fail(EIO);
}

} // namespace harness
