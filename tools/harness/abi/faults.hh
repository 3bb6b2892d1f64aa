// SPDX-License-Identifier: GPL-2.0-only
// The ways to get a call wrong that many cases share, as functions without state for their tables.
#pragma once

#include <sys/mman.h>
#include <sys/wait.h>

#include <cstring>

#include "abi/bench.hh"

namespace harness::abi
{

// A correct call.
template <Call call>
Result<> as_it_should_be(Bench &b)
{
	auto argument = b.good<call>();
	return send<call>(b.container(), &argument);
}

// A correct call but for one field.
template <Call call, auto field, auto value>
Result<> with(Bench &b)
{
	auto argument = b.good<call>();
	argument.*field = value;
	return send<call>(b.container(), &argument);
}

template <Call call>
Result<> null_argument(Bench &b)
{
	return send<call>(b.container(), nullptr);
}

// The structure begins in memory that is there and ends in memory that is not.
template <Call call>
Result<> torn_argument(Bench &b)
{
	auto pages = Buffer::anonymous(2 * page_size());
	if (!pages)
		return std::unexpected{pages.error()};
	if (auto torn = pages->discard(page_size(), page_size()); !torn)
		return torn;
	auto argument = b.good<call>();
	auto at = pages->bytes().data() + page_size() - 8;
	std::memcpy(at, &argument, 8);
	return send<call>(b.container(), at);
}

// The kernel can read the argument and cannot write its answer there.
template <Call call>
Result<> unwritable_argument(Bench &b)
{
	auto page = Buffer::anonymous(page_size());
	if (!page)
		return std::unexpected{page.error()};
	auto argument = b.good<call>();
	std::memcpy(page->bytes().data(), &argument, sizeof argument);
	if (auto done = page->protect(PROT_READ); !done)
		return done;
	return send<call>(b.container(), page->bytes().data());
}

// What another process gets that has inherited the container. Its exit status carries the errno.
inline Result<> in_another_process(Bench &b, Result<> (*call)(Bench &))
{
	auto pid = ::fork();
	if (pid < 0)
		return fail_errno();
	if (pid == 0) {
		auto result = call(b);
		::_exit(result ? 0 : result.error().code() & 0xff);
	}
	int status = 0;
	if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return fail(ECHILD);
	return WEXITSTATUS(status) == 0 ? Result<>{} : fail(WEXITSTATUS(status));
}

template <Call call>
Result<> foreign(Bench &b)
{
	return in_another_process(b, as_it_should_be<call>);
}

inline Result<> register_extra(Bench &b) { return as_it_should_be<Call::register_memory>(b); }
inline Result<> unregister_extra(Bench &b) { return as_it_should_be<Call::unregister_memory>(b); }

inline Result<> register_and_unregister(Bench &b)
{
	auto done = register_extra(b);
	return done ? unregister_extra(b) : done;
}
inline Result<> unregister(Bench &b, std::uint64_t vaddr, std::uint64_t size)
{
	return b.container().unregister_memory(vaddr, size);
}

// No privilege to lock more than `room` bytes beside what is locked now.
inline Result<> limit_to(Bench &b, std::uint64_t room)
{
	auto limit = Locked_memory_limit::set(room);
	if (!limit)
		return std::unexpected{limit.error()};
	b.limit.emplace(std::move(*limit));
	return {};
}
inline Result<> limit_to_nothing(Bench &b) { return limit_to(b, 0); }
inline Result<> lift_limit(Bench &b)
{
	b.limit.reset();
	return {};
}

} // namespace harness::abi
