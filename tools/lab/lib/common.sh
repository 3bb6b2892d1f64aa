# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# What all of tools/lab shares: the cache outside the checkout, messages, locks, folders that appear whole or not at all.
# Sourced by fetch, kernel, run and selftest. Messages go to stderr; stdout belongs to results.

lab_cache=${TCEWIN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tcewin}
lab_tool=$(basename "$0")

say() { printf 'lab: %s\n' "$*" >&2; }
die() { say "$lab_tool: $*"; exit 1; }
misuse() { say "$lab_tool: $* (see $lab_tool --help)"; exit 2; }

# The comment block at the head of the script, between the SPDX line and the first line of code.
help_from() { awk 'NR > 2 && !/^#/ { exit } NR > 2 { sub(/^# ?/, ""); print }' "$1"; }

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" > /dev/null || die "no $tool on this machine: run tools/setup"
	done
}

# lock NAME: waits until no other process holds NAME; held until this process ends.
lock() {
	local fd
	mkdir -p "$lab_cache/locks"
	exec {fd}> "$lab_cache/locks/$1"
	if ! flock -n "$fd"; then
		say "waiting for another run that makes $1"
		flock "$fd"
	fi
}

# begin DIR: names in $new an empty folder beside DIR, gone when the script ends; commit DIR: it becomes DIR, whole.
begin() {
	mkdir -p "$(dirname "$1")"
	find "$(dirname "$1")" -maxdepth 1 -name '.new.*' -mtime +1 -exec rm -rf {} + # of one that was killed
	new=$(mktemp -d "$(dirname "$1")/.new.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

commit() {
	chmod 755 "$new"
	rm -rf "$1"
	mv -T "$new" "$1"
}
