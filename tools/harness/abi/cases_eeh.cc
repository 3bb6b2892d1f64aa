// SPDX-License-Identifier: GPL-2.0-only
// ABI.md: EEH_PE_OP, the same in containers of both types. QEMU's emulated PHB has no EEH, so that there is no PE.
#include <deque>
#include <vector>

#include "abi/case.hh"
#include "abi/faults.hh"

namespace harness::abi
{

namespace
{

constexpr const char *pe_row = "EEH_PE_OP: no PE: ENODEV";
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

const Case cases[] = {
	{.name = "eeh/disable", .row = pe_row, .expected = ENODEV, .call = operation<0u>},
	{.name = "eeh/enable", .row = pe_row, .expected = ENODEV, .call = operation<1u>},
	{.name = "eeh/unfreeze-io", .row = pe_row, .expected = ENODEV, .call = operation<2u>},
	{.name = "eeh/unfreeze-dma", .row = pe_row, .expected = ENODEV, .call = operation<3u>},
	{.name = "eeh/get-state", .row = pe_row, .expected = ENODEV, .call = operation<4u>},
	{.name = "eeh/reset-deactivate", .row = pe_row, .expected = ENODEV, .call = operation<5u>},
	{.name = "eeh/reset-hot", .row = pe_row, .expected = ENODEV, .call = operation<6u>},
	{.name = "eeh/reset-fundamental", .row = pe_row, .expected = ENODEV, .call = operation<7u>},
	{.name = "eeh/configure", .row = pe_row, .expected = ENODEV, .call = operation<8u>},
	{.name = "eeh/inject-err", .row = pe_row, .expected = ENODEV, .call = operation<9u>},
	{.name = "eeh/short-structure",
	 .row = "EEH_PE_OP: `err` is read for INJECT_ERR only",
	 .expected = ENODEV,
	 .call = bare<VFIO_EEH_PE_GET_STATE>},
	{.name = "eeh/op-unknown", .row = op_row, .expected = EINVAL, .call = operation<10u>},
	{.name = "eeh/op-huge", .row = op_row, .expected = EINVAL, .call = operation<~0u>},
	{.name = "eeh/argsz-short", .row = argsz_row, .expected = EINVAL, .call = with<Call::eeh, &Eeh::argsz, 11u>},
	{.name = "eeh/argsz-short-of-err", .row = argsz_row, .expected = EINVAL, .call = short_of_err},
	{.name = "eeh/flags", .row = flags_row, .expected = EINVAL, .call = with<Call::eeh, &Eeh::flags, 1u>},
	{.name = "eeh/null", .row = fault_row, .expected = EFAULT, .call = null_argument<Call::eeh>},
	{.name = "eeh/torn", .row = fault_row, .expected = EFAULT, .call = torn_argument<Call::eeh>},
	{.name = "eeh/torn-err", .row = fault_row, .expected = EFAULT, .call = bare<VFIO_EEH_PE_INJECT_ERR>},
	{.name = "eeh/foreign", .row = foreign_row, .expected = EPERM, .call = foreign<Call::eeh>},
};

// The same with a container of type 2, as "v1-eeh/...".
struct Of_v1 {
	std::deque<std::string> names;
	std::vector<Case> cases;

	Of_v1()
	{
		for (auto test : abi::cases) {
			test.name = names.emplace_back(std::string{"v1-"} + test.name).c_str();
			test.stage = Stage::v1_ready;
			cases.push_back(test);
		}
	}
};

} // namespace

std::span<const Case> eeh_cases() { return cases; }

std::span<const Case> v1_eeh_cases()
{
	static const Of_v1 made;
	return made.cases;
}

} // namespace harness::abi
