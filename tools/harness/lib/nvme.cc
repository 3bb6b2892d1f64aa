// SPDX-License-Identifier: GPL-2.0-only
#include "lib/nvme.hh"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "lib/fd.hh"
#include "lib/mmio.hh"

namespace harness
{

namespace
{

constexpr std::size_t interrupt_mask = 0x0c;
constexpr std::size_t configuration = 0x14;
constexpr std::size_t status = 0x1c;
constexpr std::size_t queue_attributes = 0x24;
constexpr std::size_t submission_base = 0x28;
constexpr std::size_t completion_base = 0x30;
constexpr std::size_t doorbells = 0x1000; // of the admin queue; QEMU's are four bytes each
constexpr std::uint32_t enabled = 1;
constexpr std::uint32_t entry_sizes = 6 << 16 | 4 << 20; // of submission and completion, as powers of two
constexpr std::uint16_t entries = 16;
constexpr std::size_t submission_entry = 64, completion_entry = 16;

using namespace std::chrono_literals;
constexpr auto patience = 20s;

struct Command {
	std::uint8_t opcode;
	std::uint8_t flags;
	std::uint16_t id;
	std::uint32_t space;
	std::uint64_t unused[2];
	std::uint64_t data[2]; // bus addresses
	std::uint32_t arguments[6];
};
static_assert(sizeof(Command) == submission_entry);

struct Completion {
	std::uint32_t result[2];
	std::uint16_t head, queue;
	std::uint16_t id;
	std::uint16_t status_and_phase;
};
static_assert(sizeof(Completion) == completion_entry);

template <typename Condition>
Result<> wait_for(Condition condition)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	while (!condition()) {
		if (std::chrono::steady_clock::now() > deadline)
			return fail(ETIMEDOUT);
		std::this_thread::sleep_for(2ms);
	}
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return {};
}

} // namespace

Result<std::unique_ptr<Nvme>> Nvme::start(const Device &device, std::span<std::byte> queues, std::uint64_t ioba)
{
	auto bar = device.region(VFIO_PCI_BAR0_REGION_INDEX);
	if (!bar)
		return std::unexpected{bar.error()};
	auto nvme = std::make_unique<Nvme>(device, queues, bar->offset);
	if (auto done = nvme->enable(ioba); !done)
		return std::unexpected{done.error()};
	return nvme;
}

Nvme::~Nvme()
{
	write(configuration, 0);
	(void)wait_ready(0);
}

Result<> Nvme::enable(std::uint64_t ioba)
{
	write(configuration, 0);
	if (auto off = wait_ready(0); !off)
		return off;
	std::ranges::fill(queues_, std::byte{0});
	write(interrupt_mask, ~0u);
	write(queue_attributes, (entries - 1) << 16 | (entries - 1));
	write_wide(submission_base, ioba);
	write_wide(completion_base, ioba + queue_size);
	write(configuration, enabled | entry_sizes);
	return wait_ready(enabled);
}

Result<std::uint16_t> Nvme::identify(std::uint64_t ioba)
{
	auto slot = tail_;
	tail_ = (tail_ + 1) % entries;
	Command command{};
	command.opcode = 0x06;
	command.id = slot;
	command.data[0] = ioba;
	command.arguments[0] = 1; // the controller
	std::memcpy(queues_.data() + slot * submission_entry, &command, sizeof command);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	write(doorbells, tail_);

	auto *answer = reinterpret_cast<volatile Completion *>(queues_.data() + queue_size + slot * completion_entry);
	if (auto came = wait_for([&] { return (answer->status_and_phase & 1) == phase_; }); !came)
		return std::unexpected{came.error()};
	std::uint16_t how = answer->status_and_phase >> 1;
	if (tail_ == 0)
		phase_ ^= 1;
	write(doorbells + 4, tail_);
	return how;
}

Result<> Nvme::wait_ready(std::uint32_t wanted) const
{
	return wait_for([&] { return (read(status) & enabled) == wanted; });
}

// By read and write: a BAR that is smaller than the kernel's page cannot be mapped.
std::uint32_t Nvme::read(std::size_t offset) const
{
	std::uint32_t value = ~0u;
	(void)!::pread(device_.fd(), &value, sizeof value, static_cast<off_t>(bar_ + offset));
	return value;
}

void Nvme::write(std::size_t offset, std::uint32_t value) const
{
	(void)!::pwrite(device_.fd(), &value, sizeof value, static_cast<off_t>(bar_ + offset));
}

void Nvme::write_wide(std::size_t offset, std::uint64_t value) const
{
	write(offset, static_cast<std::uint32_t>(value));
	write(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

Result<Admin_queues> admin_queues(const Pci_function &function)
{
	auto file = Fd::open(function.sysfs("resource0").c_str(), O_RDWR);
	if (!file)
		return std::unexpected{file.error()};
	auto bar = Mmio::map(file->get(), 4096, 0);
	if (!bar)
		return std::unexpected{bar.error()};
	return Admin_queues{bar->read<std::uint64_t>(submission_base), bar->read<std::uint64_t>(completion_base)};
}

std::string serial_number(std::span<const std::byte> page)
{
	auto bytes = page.subspan(4, 20);
	std::string text{reinterpret_cast<const char *>(bytes.data()), bytes.size()};
	text.resize(text.find_last_not_of(std::string_view{" \0", 2}) + 1);
	return text;
}

} // namespace harness
