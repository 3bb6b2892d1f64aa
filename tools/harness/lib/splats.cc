// SPDX-License-Identifier: GPL-2.0-only
#include "lib/splats.hh"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace harness
{

namespace
{

// The file tools/lab/splats, made into a string by build.mk.
constexpr std::string_view list =
#include "lab_splats.inc"
	;

// The lines of one kind as one expression. A list that does not compile is a mistake of the build: nothing can be seen.
Pattern of_kind(std::string_view kind)
{
	std::string all;
	auto rest = list;
	while (!rest.empty()) {
		auto line = rest.substr(0, rest.find('\n'));
		rest.remove_prefix(std::min(rest.size(), line.size() + 1));
		if (!line.starts_with(kind) || line.substr(kind.size(), 1) != " ")
			continue;
		all += all.empty() ? "" : "|";
		all += line.substr(kind.size() + 1);
	}
	auto pattern = Pattern::make(all);
	if (all.empty() || !pattern)
		std::abort();
	return *pattern;
}

} // namespace

Result<Pattern> Pattern::make(const std::string &text)
{
	auto regex = std::make_unique<regex_t>();
	if (::regcomp(regex.get(), text.c_str(), REG_EXTENDED | REG_NOSUB) != 0)
		return std::unexpected{Errno{EINVAL}};
	std::shared_ptr<const regex_t> shared{regex.release(), [](const regex_t *r) {
						      ::regfree(const_cast<regex_t *>(r));
						      delete r;
					      }};
	return Pattern{text, std::move(shared)};
}

bool is_splat(const std::string &line)
{
	static const Pattern word = of_kind("word"), bare = of_kind("bare"), harmless = of_kind("harmless");
	return bare.in(line) || (word.in(line) && !harmless.in(line));
}

} // namespace harness
