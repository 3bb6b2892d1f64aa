// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/history.hh"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "lib/sysfs.hh"

namespace harness::fuzz
{

namespace
{

struct Form {
	const char *name;
	std::size_t arguments;
};

constexpr std::array<Form, verbs> forms{{
	{"join", 2}, {"leave", 1}, {"type", 2},	  {"enable", 1}, {"disable", 1}, {"register", 4}, {"unregister", 4},
	{"map", 8},  {"unmap", 5}, {"create", 5}, {"remove", 3}, {"info", 2},	 {"eeh", 3},	  {"close", 1},
	{"lose", 2}, {"fork", 1},  {"exec", 0},	  {"kill", 0},	 {"probe", 4},
}};

std::optional<std::uint8_t> actor_of(const std::string &text)
{
	if (text.size() == 2 && text[0] == 'd' && text[1] >= '0' && text[1] < static_cast<char>('0' + devices))
		return static_cast<std::uint8_t>(workers + text[1] - '0');
	if (text.size() != 3 || text[1] != '.')
		return std::nullopt;
	auto process = static_cast<unsigned>(text[0] - '0'), thread = static_cast<unsigned>(text[2] - '0');
	if (process >= processes || thread >= threads)
		return std::nullopt;
	return static_cast<std::uint8_t>(process * threads + thread);
}

std::optional<Operation> parse_operation(const std::string &text)
{
	std::istringstream words{text};
	std::string actor, verb, word;
	if (!(words >> actor >> verb))
		return std::nullopt;
	auto who = actor_of(actor);
	auto form = std::ranges::find_if(forms, [&](auto &f) { return verb == f.name; });
	if (!who || form == forms.end())
		return std::nullopt;
	Operation operation{*who, static_cast<Verb>(form - forms.begin()), Hold::none, {}};
	if (operation.by_device() != (operation.verb == Verb::probe))
		return std::nullopt;
	for (std::size_t i = 0; i < form->arguments; ++i) {
		unsigned number = 0;
		if (!(words >> number) || number > 255)
			return std::nullopt;
		operation.n[i] = static_cast<std::uint8_t>(number);
	}
	if (!(words >> word))
		return operation;
	if (std::string more; words >> more)
		return std::nullopt;
	if (word == "~") {
		operation.hold = Hold::behind;
		return operation;
	}
	auto span = word[0] == 'h' ? parse_number(word.substr(1)) : std::nullopt;
	if (!span || *span == 0 || *span > 255)
		return std::nullopt;
	operation.hold = Hold::argument;
	operation.span = static_cast<std::uint8_t>(*span);
	return operation;
}

} // namespace

const char *name_of(Verb verb) { return forms[static_cast<std::size_t>(verb)].name; }

std::size_t arguments_of(Verb verb) { return forms[static_cast<std::size_t>(verb)].arguments; }

std::string to_text(const Operation &operation)
{
	auto &form = forms[static_cast<std::size_t>(operation.verb)];
	auto text = operation.by_device() ? fmt::format("d{} {}", operation.device(), form.name)
					  : fmt::format("{}.{} {}", operation.process(), operation.thread(), form.name);
	for (std::size_t i = 0; i < form.arguments; ++i)
		text += fmt::format(" {}", operation.n[i]);
	if (operation.hold == Hold::argument)
		return text + fmt::format(" h{}", operation.span);
	return text + (operation.hold == Hold::behind ? " ~" : "");
}

std::string to_text(const History &history)
{
	std::string text = history.storm ? "storm" : "turns";
	for (auto &operation : history.operations)
		text += "; " + to_text(operation);
	return text;
}

std::optional<History> parse(std::string_view text)
{
	std::istringstream parts{std::string{text}};
	std::string part;
	if (!std::getline(parts, part, ';') || (part != "storm" && part != "turns"))
		return std::nullopt;
	History history{.storm = part == "storm", .operations = {}};
	while (std::getline(parts, part, ';')) {
		auto operation = parse_operation(part);
		if (!operation || history.operations.size() == operations_max)
			return std::nullopt;
		history.operations.push_back(*operation);
	}
	return history.operations.empty() ? std::nullopt : std::optional{std::move(history)};
}

} // namespace harness::fuzz
