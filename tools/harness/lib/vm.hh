// SPDX-License-Identifier: GPL-2.0-only
// A KVM virtual machine whose CPUs have five instructions: each issues the hypercall it is told to, hands the answer
// out, and waits for the next. Nothing else runs in it. One thread at a time uses a CPU; KVM wants all of it used by
// the process that made it.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>

#include "lib/fd.hh"

namespace harness
{

// From asm/hvcall.h.
enum class Hcall : std::uint64_t { put_tce = 0x20, stuff_tce = 0x138, put_tce_indirect = 0x13c };

inline constexpr std::int64_t h_success = 0;
inline constexpr std::int64_t h_parameter = -4;

// What the kernel answered; nothing: it left the hypercall to us, undone (H_TOO_HARD in the kernel).
using Answer = std::optional<std::int64_t>;

class Vcpu
{
public:
	using Arguments = std::array<std::uint64_t, 4>;

	// EIO: it does not get to its first hypercall.
	static Result<Vcpu> create(const Fd &kvm, const Fd &vm, unsigned number);

	Vcpu(Vcpu &&other) noexcept;
	Vcpu &operator=(Vcpu &&) = delete;
	~Vcpu();

	Result<Answer> issue(Hcall call, const Arguments &arguments);

private:
	Vcpu(Fd fd, kvm_run *run, std::size_t run_size) : fd_{std::move(fd)}, run_{run}, run_size_{run_size} {}
	Result<> prepare() const;
	Result<> enter();

	Fd fd_;
	kvm_run *run_;
	std::size_t run_size_;
};

class Vm
{
public:
	// `memory` is all that the machine has, from its real address 0 on, and outlives it. The first kernel page of
	// it becomes the program. It has one CPU. ENOENT: there is no /dev/kvm.
	static Result<Vm> create(std::span<std::byte> memory);

	int fd() const { return vm_.get(); }
	Vcpu &cpu(std::size_t number = 0) { return cpus_[number]; }
	Result<> add_cpu(); // the others stay where they are
	Result<long> check_extension(unsigned long capability) const;

	void close(); // our hold of it; tables and devices made in it have their own

private:
	Vm(Fd kvm, Fd vm) : kvm_{std::move(kvm)}, vm_{std::move(vm)} {}
	static Result<> prepare(const Fd &kvm, const Fd &vm, std::span<std::byte> memory);

	Fd kvm_;
	Fd vm_;
	std::deque<Vcpu> cpus_;
};

} // namespace harness
