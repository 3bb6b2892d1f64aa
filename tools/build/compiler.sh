# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by module and guest-module. compiler_for TREE: sets $cross, and PATH so that ${cross}gcc-N is the compiler which the kernel of that
# build tree was built by: this machine's, else one that tools/lab/fetch unpacks from the release of Debian that has it. Newer kernels
# pass flags that an older compiler does not know.
compiler_for() {
	local wanted folder lab
	lab=$(dirname "${BASH_SOURCE[0]}")/../lab
	cross=powerpc64le-linux-gnu-
	if [ "$(uname -m)" = ppc64le ]; then
		command -v ${cross}gcc > /dev/null || cross=
		return
	fi
	wanted=$cross$(sed -nE 's/^CONFIG_CC_VERSION_TEXT="?(powerpc64le-linux-gnu-)?(gcc-[0-9]+) .*/\2/p' "$1/include/config/auto.conf")
	[ "$wanted" != $cross ] || wanted=${cross}gcc
	if ! command -v "$wanted" > /dev/null; then
		if folder=$("$lab/fetch" "${wanted#"$cross"}"); then
			PATH=$folder/usr/bin:$PATH
		else
			echo "$1 was built by $wanted, which cannot be had: ${cross}gcc instead" >&2
		fi
	fi
	command -v "$wanted" ${cross}gcc > /dev/null || { echo "no ${cross}gcc: run tools/setup" >&2; return 1; }
}
