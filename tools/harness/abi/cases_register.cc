// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: REGISTER_MEMORY.
#include <unistd.h>

#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

Result<> enroll(Bench &b, std::uint64_t vaddr, std::uint64_t size)
{
	return b.container().register_memory(vaddr, size);
}
// A part of the registered memory is unmapped from the process's point of view before it is registered.
template <std::size_t page, std::size_t count>
Result<> punch(Bench &b)
{
	return b.extra().discard(page * page_size(), count * page_size());
}
Result<> unreadable(Bench &b) { return b.extra().protect(PROT_NONE); }

// Addresses without memory, so many that the kernel's list of their pages would take an eighth of the machine's memory.
Result<> addresses_alone(Bench &b)
{
	auto memory = static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * page_size();
	auto lots = Buffer::reserved(memory / 8 / sizeof(std::uint64_t) * page_size());
	if (!lots)
		return std::unexpected{lots.error()};
	return enroll(b, lots->address(), lots->size());
}

std::string range_is_free(Bench &b)
{
	if (auto again = register_extra(b); !again)
		return "cannot be registered again: " + again.error().name();
	auto gone = unregister_extra(b);
	return gone ? "" : "then not unregistered: " + gone.error().name();
}

const Case cases[] = {
	{.name = "defect/register-zero",
	 .row = "REGISTER: zero size: EINVAL",
	 .expected = EINVAL,
	 .call = with<Call::register_memory, &Memory::size, 0u>},
	{.name = "register/size-overflow",
	 .row = "REGISTER: overflowing size: EINVAL",
	 .expected = EINVAL,
	 .call = with<Call::register_memory, &Memory::size, 0xffffffffffff0000u>},
	{.name = "register/end-of-address-space",
	 .row = "REGISTER: overflowing size: EINVAL",
	 .expected = EINVAL,
	 .call = [](Bench &b) { return enroll(b, 0xffffffffffff0000u, 0x20000); }},
	{.name = "register/vaddr-unaligned",
	 .row = "REGISTER: page aligned",
	 .expected = EINVAL,
	 .call = [](Bench &b) { return enroll(b, b.extra().address() + 512, b.extra().size() - page_size()); }},
	{.name = "register/size-unaligned",
	 .row = "REGISTER: page aligned",
	 .expected = EINVAL,
	 .call = [](Bench &b) { return enroll(b, b.extra().address(), b.extra().size() - 512); }},
	{.name = "register/kernel-address",
	 .row = "REGISTER: hole in it: EFAULT",
	 .expected = EFAULT,
	 .call = [](Bench &b) { return enroll(b, 0xc000000000000000u, 4 * page_size()); }},
	{.name = "register/hole-at-start",
	 .row = "REGISTER: hole in it: EFAULT",
	 .expected = EFAULT,
	 .prepare = punch<0, 1>,
	 .call = register_extra},
	{.name = "defect/register-hole",
	 .row = "REGISTER: hole in it: EFAULT",
	 .expected = EFAULT,
	 .prepare = punch<2, 1>,
	 .call = register_extra},
	{.name = "register/hole-at-end",
	 .row = "REGISTER: hole in it: EFAULT",
	 .expected = EFAULT,
	 .prepare = punch<3, 1>,
	 .call = register_extra},
	{.name = "register/unreadable",
	 .row = "REGISTER: hole in it: EFAULT",
	 .expected = EFAULT,
	 .prepare = unreadable,
	 .call = register_extra},
	{.name = "register/twice",
	 .row = "REGISTER: same range again in this container: EBUSY",
	 .expected = EBUSY,
	 .prepare = register_extra,
	 .call = register_extra,
	 .finish = unregister_extra},
	{.name = "register/overlap-inside",
	 .row = "REGISTER: overlap: EINVAL",
	 .expected = EINVAL,
	 .prepare = register_extra,
	 .call = [](Bench &b) { return enroll(b, b.extra().address() + page_size(), page_size()); },
	 .finish = unregister_extra},
	{.name = "register/overlap-same-start",
	 .row = "REGISTER: overlap: EINVAL",
	 .expected = EINVAL,
	 .prepare = register_extra,
	 .call = [](Bench &b) { return enroll(b, b.extra().address(), page_size()); },
	 .finish = unregister_extra},
	{.name = "register/overlap-end",
	 .row = "REGISTER: overlap: EINVAL",
	 .expected = EINVAL,
	 .prepare =
		 [](Bench &b) { return enroll(b, b.extra().address() + page_size(), b.extra().size() - page_size()); },
	 .call = [](Bench &b) { return enroll(b, b.extra().address(), 2 * page_size()); },
	 .finish =
		 [](Bench &b) {
			 return unregister(b, b.extra().address() + page_size(), b.extra().size() - page_size());
		 }},
	{.name = "register/over-limit",
	 .row = "REGISTER: over the limit: ENOMEM",
	 .expected = ENOMEM,
	 .prepare = limit_to_nothing,
	 .call = register_extra,
	 .finish = lift_limit},
	{.name = "register/a-page-over-limit",
	 .row = "REGISTER: over the limit: ENOMEM",
	 .expected = ENOMEM,
	 .prepare = [](Bench &b) { return limit_to(b, b.extra().size() - page_size()); },
	 .call = register_extra,
	 .finish = lift_limit},
	{.name = "register/at-limit",
	 .row = "REGISTER: pins, accounts",
	 .prepare = [](Bench &b) { return limit_to(b, b.extra().size()); },
	 .call = register_extra,
	 .finish =
		 [](Bench &b) {
			 auto gone = unregister_extra(b);
			 return gone ? lift_limit(b) : gone;
		 }},
	{.name = "register/addresses-alone",
	 .row = "REGISTER: more than the kernel can list in a sixteenth of memory: ENOMEM",
	 .expected = ENOMEM,
	 .call = addresses_alone},
	{.name = "register/and-back",
	 .row = "REGISTER: pins, accounts; UNREGISTER undoes it",
	 .call = register_and_unregister,
	 .verify = range_is_free},
};

} // namespace

std::span<const Case> register_cases() { return cases; }

} // namespace harness::abi
