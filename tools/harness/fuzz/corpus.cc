// SPDX-License-Identifier: GPL-2.0-only
#include "fuzz/corpus.hh"

#include <sstream>

#include "lib/sysfs.hh"

namespace harness::fuzz
{

namespace
{

std::string trimmed(const std::string &text)
{
	auto from = text.find_first_not_of(" \t");
	return from == std::string::npos ? "" : text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

std::optional<History> read_history(const std::string &text)
{
	if (!text.starts_with("seed "))
		return parse(text);
	auto seed = parse_number(text.substr(5));
	return seed ? std::optional{make_history(*seed)} : std::nullopt;
}

} // namespace

std::vector<Case> read_corpus(const std::string &file)
{
	std::vector<Case> cases;
	std::istringstream lines{read_file(file).value_or("no corpus")};
	for (std::string line; std::getline(lines, line);) {
		auto hash = line.find('#');
		auto text = trimmed(line.substr(0, hash));
		if (!text.empty())
			cases.push_back({text, hash == std::string::npos ? text : trimmed(line.substr(hash + 1)),
					 read_history(text)});
	}
	return cases;
}

} // namespace harness::fuzz
