// SPDX-License-Identifier: GPL-2.0-only
// A KVM virtual machine with one CPU of five instructions: it issues the hypercall it is told to, hands the answer out,
// and waits for the next. Nothing else runs in it. One thread at a time uses it; KVM wants it used by the process that
// made it.
#pragma once

#include <linux/kvm.h>

#include <array>
#include <cstdint>
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

class Vm
{
public:
	using Arguments = std::array<std::uint64_t, 4>;

	// `memory` is all that the machine has, from its real address 0 on, and outlives it. The first kernel page of
	// it becomes the program. ENOENT: there is no /dev/kvm. EIO: the CPU does not get to its first hypercall.
	static Result<Vm> create(std::span<std::byte> memory);

	Vm(Vm &&other) noexcept;
	Vm &operator=(Vm &&) = delete;
	~Vm() { close(); }

	int fd() const { return vm_.get(); }
	Result<long> check_extension(unsigned long capability) const;

	Result<Answer> issue(Hcall call, const Arguments &arguments);
	unsigned exit_reason() const { return run_ ? run_->exit_reason : 0; } // the last one, for a message

	void close(); // our hold of it; tables and devices made in it have their own

private:
	Vm(Fd vm, Fd cpu, kvm_run *run, std::size_t run_size)
		: vm_{std::move(vm)}, cpu_{std::move(cpu)}, run_{run}, run_size_{run_size}
	{
	}
	static Result<> prepare(const Fd &kvm, const Fd &vm, std::span<std::byte> memory);
	static Result<> prepare_cpu(const Fd &cpu);
	Result<> enter();

	Fd vm_;
	Fd cpu_;
	kvm_run *run_;
	std::size_t run_size_;
};

} // namespace harness
