// SPDX-License-Identifier: GPL-2.0-only
// What a fuzzer's history is: operations of a few processes, threads and devices in the order in which they begin. Its
// text is one line, "turns; 0.0 join 0 0; 0.1 map 0 1 3 0 0 2 0 0 h3; d0 probe 0 1 3 0 ~", and every number is valid:
// each is an index into a table, taken modulo its length; that behind an "h" is `span`.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace harness::fuzz
{

inline constexpr unsigned processes = 3;
inline constexpr unsigned threads = 2;
inline constexpr unsigned containers = 2;
inline constexpr unsigned devices = 2;
inline constexpr unsigned workers = processes * threads; // actors below it; then the devices
inline constexpr unsigned actors = workers + devices;
inline constexpr std::size_t operations_max = 160;

enum class Verb : std::uint8_t {
	join,	 // container, group
	leave,	 // group
	type,	 // container, type
	enable,	 // container
	disable, // container
	reg,	 // container, block, range, oddity
	unreg,	 // container, block, range, oddity
	map,	 // container, window, slot, size, block, cell, access, oddity
	unmap,	 // container, window, slot, size, oddity
	create,	 // container, shift, size, levels, oddity
	remove,	 // container, where, oddity
	info,	 // container, oddity
	eeh,	 // container, operation, oddity
	close,	 // container: this process's descriptor
	lose,	 // block, how: its memory goes from the process, or moves
	fork,	 // container: a child that tries its parent's container
	exec,	 // another program with the same descriptors
	kill,	 // SIGKILL of the own process
	probe,	 // window, slot, cell, write: a device's
};
inline constexpr std::size_t verbs = 19;

enum class Hold : std::uint8_t {
	none,
	argument, // the ioctl's structure lies on pages whose faults are held up until `span` more are over
	behind,	  // the next one begins without waiting for the end of this one
};

struct Operation {
	std::uint8_t actor;
	Verb verb;
	Hold hold;
	std::array<std::uint8_t, 8> n;
	std::uint8_t span = 0;

	bool by_device() const { return actor >= workers; }
	unsigned process() const { return actor / threads; }
	unsigned thread() const { return actor % threads; }
	unsigned device() const { return actor - workers; }
};

struct History {
	bool storm = false; // nobody waits for anybody's turn
	std::vector<Operation> operations;
};

const char *name_of(Verb verb);
std::size_t arguments_of(Verb verb); // how many numbers
std::string to_text(const Operation &operation);
std::string to_text(const History &history);
std::optional<History> parse(std::string_view text);

History make_history(std::uint64_t seed); // by the grammar

} // namespace harness::fuzz
