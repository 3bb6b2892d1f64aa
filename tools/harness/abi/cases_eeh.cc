// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: EEH_PE_OP, the same in containers of both types. The emulated PHB of an LPAR has no EEH, so that there is no
// PE; on bare metal each operation is done, except that the emulated PHB injects no errors.
#include "abi/case.hh"
#include "abi/faults.hh"
#include "lib/platform.hh"

namespace harness::abi
{

namespace
{

constexpr const char *pe_row = "EEH_PE_OP: the operation, on each group; no PE: ENODEV";
constexpr const char *op_row = "EEH_PE_OP: bad op: EINVAL";
constexpr const char *argsz_row = "rules: argsz too small: EINVAL";
constexpr const char *flags_row = "rules: unknown flags: EINVAL";
constexpr const char *fault_row = "rules: unreadable user memory: EFAULT";
constexpr const char *foreign_row = "rules: other process's mm than the container's: EPERM";

template <auto op>
constexpr auto operation = with<Call::eeh, &Eeh::op, op>;

// The argument ends after `op`, with nothing but unreadable memory behind it: enough for all but INJECT_ERR.
template <std::uint32_t op>
Result<> bare(Bench &b)
{
	constexpr std::uint32_t size = offsetof(Eeh, op) + sizeof op;
	auto pages = Buffer::anonymous(2 * page_size());
	if (!pages)
		return std::unexpected{pages.error()};
	if (auto torn = pages->discard(page_size(), page_size()); !torn)
		return torn;
	std::uint32_t argument[] = {op == VFIO_EEH_PE_INJECT_ERR ? std::uint32_t{sizeof(Eeh)} : size, 0, op};
	auto at = pages->bytes().data() + page_size() - size;
	std::memcpy(at, argument, size);
	return send<Call::eeh>(b.container(), at);
}

Result<> short_of_err(Bench &b)
{
	auto argument = b.good<Call::eeh>();
	argument.op = VFIO_EEH_PE_INJECT_ERR;
	argument.argsz = offsetof(Eeh, op) + sizeof argument.op;
	return send<Call::eeh>(b.container(), &argument);
}

// A reset has been begun: the device's registers are not there until it ends.
Result<> end_reset(Bench &b)
{
	if (platform().eeh) {
		(void)b.container().eeh_op(VFIO_EEH_PE_RESET_DEACTIVATE);
		(void)b.container().eeh_op(VFIO_EEH_PE_CONFIGURE);
	}
	return {};
}

const Expected on_a_pe{platform().eeh ? 0 : ENODEV};
const Expected injected = platform().eeh ? Expected{EIO, 0} : Expected{ENODEV};
// Firmware on QEMU's PHB fails every second reset of a slot ("Unexpected slot state"), and leaves the PE frozen then.
const Expected of_slot = platform().eeh ? Expected{0, EIO} : Expected{ENODEV};
const auto after_slot = platform().eeh ? Afterwards::spent : Afterwards::as_before;

constexpr auto both = Kinds::both;

const Case cases[] = {
	{.name = "eeh/disable", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<0u>},
	{.name = "eeh/enable", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<1u>},
	{.name = "eeh/unfreeze-io", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<2u>},
	{.name = "eeh/unfreeze-dma", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<3u>},
	{.name = "eeh/get-state", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<4u>},
	{.name = "eeh/reset-deactivate", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<5u>},
	{.name = "eeh/reset-hot",
	 .row = pe_row,
	 .expected = of_slot,
	 .kinds = both,
	 .call = operation<6u>,
	 .finish = end_reset,
	 .afterwards = after_slot},
	{.name = "eeh/reset-fundamental",
	 .row = pe_row,
	 .expected = of_slot,
	 .kinds = both,
	 .call = operation<7u>,
	 .finish = end_reset,
	 .afterwards = after_slot},
	{.name = "eeh/configure", .row = pe_row, .expected = on_a_pe, .kinds = both, .call = operation<8u>},
	{.name = "eeh/inject-err", .row = pe_row, .expected = injected, .kinds = both, .call = operation<9u>},
	{.name = "eeh/short-structure",
	 .row = "EEH_PE_OP: `err` is read for INJECT_ERR only",
	 .expected = on_a_pe,
	 .kinds = both,
	 .call = bare<VFIO_EEH_PE_GET_STATE>},
	{.name = "eeh/op-unknown", .row = op_row, .expected = EINVAL, .kinds = both, .call = operation<10u>},
	{.name = "eeh/op-huge", .row = op_row, .expected = EINVAL, .kinds = both, .call = operation<~0u>},
	{.name = "eeh/argsz-short",
	 .row = argsz_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::eeh, &Eeh::argsz, 11u>},
	{.name = "eeh/argsz-short-of-err", .row = argsz_row, .expected = EINVAL, .kinds = both, .call = short_of_err},
	{.name = "eeh/flags",
	 .row = flags_row,
	 .expected = EINVAL,
	 .kinds = both,
	 .call = with<Call::eeh, &Eeh::flags, 1u>},
	{.name = "eeh/null", .row = fault_row, .expected = EFAULT, .kinds = both, .call = null_argument<Call::eeh>},
	{.name = "eeh/torn", .row = fault_row, .expected = EFAULT, .kinds = both, .call = torn_argument<Call::eeh>},
	{.name = "eeh/torn-err",
	 .row = fault_row,
	 .expected = EFAULT,
	 .kinds = both,
	 .call = bare<VFIO_EEH_PE_INJECT_ERR>},
	{.name = "eeh/foreign", .row = foreign_row, .expected = EPERM, .kinds = both, .call = foreign<Call::eeh>},
};

} // namespace

std::span<const Case> eeh_cases() { return cases; }

} // namespace harness::abi
