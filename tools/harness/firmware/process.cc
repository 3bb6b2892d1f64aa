// SPDX-License-Identifier: GPL-2.0-only
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <sstream>

#include "firmware/trial.hh"

namespace harness::firmware
{

namespace
{

constexpr const char *last_word = ".";

[[noreturn]] void be_the_child(const std::function<void(const Say &)> &work, int fd)
{
	auto say = [fd](const std::string &line) { (void)!::write(fd, (line + "\n").data(), line.size() + 1); };
	work(say);
	say(last_word);
	::_exit(0);
}

// Everything until the other end is closed, or time is up.
std::string listen(int fd, std::chrono::seconds patience)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	std::string told;
	for (;;) {
		auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
										  std::chrono::steady_clock::now())
				    .count();
		pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
		std::array<char, 1024> chunk;
		if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0)
			return told;
		auto n = ::read(fd, chunk.data(), chunk.size());
		if (n <= 0)
			return told;
		told.append(chunk.data(), static_cast<std::size_t>(n));
	}
}

} // namespace

Told in_a_process(const std::function<void(const Say &)> &work, std::chrono::seconds patience)
{
	int ends[2];
	if (::pipe2(ends, O_CLOEXEC) != 0)
		return {{}, false};
	auto pid = ::fork();
	if (pid == 0)
		be_the_child(work, ends[1]);
	Fd in{ends[0]};
	{
		Fd out{ends[1]};
	}
	std::istringstream told{listen(in.get(), patience)};
	::kill(pid, SIGKILL); // gone already, if it has ended
	::waitpid(pid, nullptr, 0);

	Told all{{}, false};
	for (std::string line; std::getline(told, line);)
		line == last_word ? void(all.ended = true) : all.lines.push_back(line);
	return all;
}

} // namespace harness::firmware
