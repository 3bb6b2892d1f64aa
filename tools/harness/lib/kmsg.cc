// SPDX-License-Identifier: GPL-2.0-only
#include "lib/kmsg.hh"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "lib/sysfs.hh"

namespace harness
{

namespace
{

// On bare metal, whoever opens a device: VFIO's reset of a slot (a warning since 7.2), and the governor of QEMU's
// clock. Anywhere, when the machine that the guest runs on had no time for it.
bool always_said(const std::string &line)
{
	if (line.starts_with("hrtimer: interrupt took ") || line.starts_with("clocksource: "))
		return true;
	if (line.starts_with("vfio-pci ") && (line.ends_with(": resetting") || line.ends_with(": reset done")))
		return true;
	return line.contains("unlocked secondary bus reset via") || line.contains("powernv-cpufreq: ");
}

} // namespace

Result<Kmsg> Kmsg::follow(std::span<const std::string> expected)
{
	std::vector<Wanted> wanted;
	for (auto &text : expected) {
		auto pattern = Pattern::make(text);
		if (!pattern)
			return std::unexpected{pattern.error()};
		wanted.push_back({std::move(*pattern)});
	}
	auto fd = Fd::open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (!fd)
		return std::unexpected{fd.error()};
	if (::lseek(fd->get(), 0, SEEK_END) < 0)
		return fail_errno();
	return Kmsg{std::move(*fd), std::move(wanted)};
}

std::vector<Kmsg::Line> Kmsg::records()
{
	std::vector<Line> found;
	std::array<char, 8192> record;
	for (;;) {
		auto n = ::read(fd_.get(), record.data(), record.size());
		if (n < 0 && errno == EPIPE)
			continue; // overwritten before we came: the next one is there
		if (n <= 0)
			return found;
		std::string_view line{record.data(), static_cast<std::size_t>(n)};
		auto priority = parse_number(line.substr(0, line.find(','))).value_or(0); // with the facility above it
		if (auto text = line.find(';'); text != std::string_view::npos)
			line.remove_prefix(text + 1);
		found.emplace_back(priority % 8, std::string{line.substr(0, line.find('\n'))});
	}
}

std::vector<std::string> Kmsg::lines()
{
	std::vector<std::string> found;
	for (auto &line : records())
		found.push_back(std::move(line.text));
	return found;
}

bool Kmsg::is_expected(const std::string &line)
{
	bool found = false;
	for (auto &one : wanted_)
		if (one.pattern.in(line))
			found = one.came = true;
	return found;
}

std::vector<std::string> Kmsg::splats()
{
	auto found = lines();
	std::erase_if(found, [this](const std::string &line) { return is_expected(line) || !is_splat(line); });
	return found;
}

std::vector<std::string> Kmsg::complaints()
{
	constexpr unsigned warning = 4;
	std::vector<std::string> found;
	for (auto &line : records())
		if (!is_expected(line.text) &&
		    ((line.level <= warning && !always_said(line.text)) || is_splat(line.text)))
			found.push_back(std::move(line.text));
	return found;
}

std::vector<std::string> Kmsg::missing() const
{
	std::vector<std::string> texts;
	for (auto &one : wanted_)
		if (!one.came)
			texts.push_back(one.pattern.text());
	return texts;
}

bool end(Report &report, Result<Kmsg> &kmsg)
{
	check_splats(report, kmsg);
	check_expected(report, kmsg);
	report.summary();
	return report.good();
}

void mark(const std::string &text) { (void)write_file("/dev/kmsg", "<6>tcewin-harness: " + text + "\n"); }

void check_splats(Report &report, Result<Kmsg> &kmsg)
{
	auto splats = kmsg ? kmsg->splats() : std::vector<std::string>{"no /dev/kmsg"};
	report.check("the kernel found no fault in itself", splats.empty(), fmt::format("{} lines", splats.size()));
	for (auto &line : splats)
		report.note(line);
}

void check_expected(Report &report, const Result<Kmsg> &kmsg)
{
	if (!kmsg)
		return;
	for (auto &text : kmsg->missing())
		report.check("expected in the kernel's log: " + text, false, "never came");
}

} // namespace harness
