// SPDX-License-Identifier: GPL-2.0-only
#include "abi/runner.hh"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <thread>

#include "lib/counts.hh"

namespace harness::abi
{

namespace
{

using namespace std::chrono_literals;

// What the child tells its parent, as lines: one for the outcome, then one for each trouble.
class Story
{
public:
	explicit Story(int fd) : fd_{fd} {}
	void tell(std::string_view tag, std::string_view text)
	{
		auto line = fmt::format("{} {}\n", tag, text);
		(void)!::write(fd_, line.data(), line.size());
	}
	void trouble(std::string_view text) { tell("!", text); }

private:
	int fd_;
};

class Trial
{
public:
	Trial(const Case &test, Bench &bench, Story &story) : test_{test}, bench_{bench}, story_{story} {}

	void run()
	{
		if (auto ready = bench_.bring_to(test_.stage); !ready)
			return story_.trouble("set-up: " + ready.error().name());
		auto at_first = Counts::now();
		if (!step("prepare", test_.prepare))
			return;
		call();
		if (test_.verify)
			if (auto wrong = test_.verify(bench_); !wrong.empty())
				story_.trouble(wrong);
		step("finish", test_.finish);
		for (auto &fact : bench_.facts)
			story_.tell("~", fact);
		if (test_.afterwards == Afterwards::spent)
			return;
		if (test_.afterwards == Afterwards::as_before)
			same("after the case", at_first);
		if (auto wrong = bench_.works(); !wrong.empty())
			story_.trouble("then " + wrong);
	}

private:
	bool step(std::string_view name, Result<> (*action)(Bench &))
	{
		if (!action)
			return true;
		auto done = action(bench_);
		if (!done)
			story_.trouble(fmt::format("{}: {}", name, done.error().name()));
		return done.has_value();
	}

	void call()
	{
		auto before = Counts::rested();
		auto result = test_.call(bench_);
		auto seen = result ? Errno{0} : result.error();
		story_.tell(test_.expected.accepts(seen) ? "=" : "#", seen.name());
		if (seen.code() != 0 && test_.afterwards != Afterwards::spent)
			same("after the failure", before);
	}

	void same(std::string_view when, const Counts &wanted)
	{
		auto now = settled(wanted, 10s);
		if (!bench_.as_wanted(wanted, now))
			story_.trouble(fmt::format("{}: {}", when, difference(wanted, now)));
	}

	const Case &test_;
	Bench &bench_;
	Story &story_;
};

[[noreturn]] void be_the_child(const Case &test, const Pci_function &function, const Terms &terms, int pipe)
{
	Story story{pipe};
	{
		Bench bench{function, terms};
		Trial{test, bench, story}.run();
	}
	story.tell(".", ""); // closing came to an end as well
	::_exit(0);
}

// Everything the child says until it closes its end; false: it has not within the time it has.
bool listen(int fd, std::chrono::seconds patience, std::string &told)
{
	auto deadline = std::chrono::steady_clock::now() + patience;
	for (;;) {
		auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline -
										  std::chrono::steady_clock::now())
				    .count();
		pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
		if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0)
			return false;
		std::array<char, 1024> chunk;
		auto n = ::read(fd, chunk.data(), chunk.size());
		if (n <= 0)
			return true;
		told.append(chunk.data(), static_cast<std::size_t>(n));
	}
}

// A process in the kernel that does not come back cannot be waited for.
bool reaped(pid_t pid)
{
	for (int i = 0; i < 100; ++i) {
		if (::waitpid(pid, nullptr, WNOHANG) == pid)
			return true;
		std::this_thread::sleep_for(100ms);
	}
	return false;
}

void understand(std::string_view told, Finding &finding)
{
	bool ended = false;
	finding.verdict = Verdict::passed;
	while (!told.empty()) {
		auto end = told.find('\n');
		auto line = told.substr(0, end);
		told.remove_prefix(end == told.npos ? told.size() : end + 1);
		auto text = line.size() > 2 ? line.substr(2) : "";
		switch (line.empty() ? ' ' : line[0]) {
		case '=':
			finding.seen = text;
			break;
		case '#':
			finding.seen = text, finding.verdict = Verdict::failed;
			break;
		case '~':
			finding.facts.emplace_back(text);
			break;
		case '!':
			finding.troubles.emplace_back(text);
			break;
		case '.':
			ended = true;
			break;
		}
	}
	if (!ended)
		finding.troubles.emplace_back("the process died in it");
}

void look_around(Finding &finding, const Pci_function &function, Kmsg &kmsg, const Counts &before,
		 const std::vector<Tree_window> &tree)
{
	auto after = settled(before);
	if (after != before)
		finding.troubles.push_back("after close: " + difference(before, after));
	if (auto now = tree_windows(function); now != tree)
		finding.troubles.push_back(
			fmt::format("device tree after close: {}, before: {}", to_string(now), to_string(tree)));
	for (auto &line : kmsg.splats())
		finding.troubles.push_back("kernel: " + line);
}

} // namespace

Finding run_case(const Case &test, const Pci_function &function, const Terms &terms, Kmsg &kmsg)
{
	if (auto why = not_applicable(test, terms))
		return {Verdict::not_applicable, why, {}, {}};
	Finding finding{Verdict::failed, "-", {}, {}};
	mark(fmt::format("case {}", test.name));
	auto before = Counts::now();
	auto tree = tree_windows(function);
	int ends[2];
	if (::pipe2(ends, O_CLOEXEC) != 0)
		return finding;
	auto pid = ::fork();
	if (pid == 0)
		be_the_child(test, function, terms, ends[1]);
	Fd in{ends[0]};
	{
		Fd out{ends[1]};
	}
	if (pid < 0)
		return finding;

	std::string told;
	bool ended = listen(in.get(), terms.patience, told);
	if (!ended)
		::kill(pid, SIGKILL);
	bool gone = reaped(pid);
	understand(told, finding);
	if (!ended)
		finding.troubles.push_back(fmt::format("no answer for {} s", terms.patience.count()));
	if (!gone)
		finding.troubles.emplace_back("stuck: the process cannot be killed");
	look_around(finding, function, kmsg, before, tree);
	if (finding.verdict == Verdict::passed && !finding.troubles.empty())
		finding.verdict = Verdict::failed;
	return finding;
}

} // namespace harness::abi
