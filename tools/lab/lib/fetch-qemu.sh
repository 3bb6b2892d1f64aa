# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# QEMU 10 or later: the machine's own when it is new enough, else the one of Debian 12's backports, unpacked into the cache.
# Sourced by fetch. Leaves DIR/qemu, a script; the backports' one needs the libraries that come with the machine's own.

qemu_wanted=10

own_qemu() {
	local dir=$1
	command -v qemu-system-ppc64 > /dev/null || die "no qemu-system-ppc64 on this machine: run tools/setup"
	printf '#!/bin/sh\nexec qemu-system-ppc64 "$@"\n' > "$dir/qemu"
	chmod +x "$dir/qemu"
}

# unpack_qemu DIR: fails with one line when the suite, a package or a library cannot be had.
unpack_qemu() {
	local dir=$1 suite=bookworm-backports package missing
	apt_refresh "$suite" || return 1
	package=qemu-system-ppc:$apt_host
	apt_download "$suite" "$dir" "$package" "qemu-system-common:$apt_host" qemu-system-data || return 1
	apt_version "$suite" "$package" > "$dir/version" || return 1
	unpack_debs "$dir" || return 1
	missing=$(ldd "$dir/usr/bin/qemu-system-ppc64" | sed -n 's/^[[:space:]]*\([^ ]*\) => not found/\1/p' | xargs)
	[ -z "$missing" ] || { say "qemu of $suite misses $missing"; return 1; }
	rm -rf "${dir:?}"/{etc,lib,usr/share/doc,usr/share/lintian}
	cat > "$dir/qemu" <<- 'END'
		#!/bin/sh
		dir=$(dirname "$0")
		exec "$dir/usr/bin/qemu-system-ppc64" -L "$dir/usr/share/qemu" "$@"
	END
	chmod +x "$dir/qemu"
	"$dir/qemu" --version > /dev/null || { say "qemu of $suite does not start here"; return 1; }
}

fetch_qemu() {
	local have
	begin "$(folder qemu)"
	have=$(qemu-system-ppc64 --version 2> /dev/null | sed -n 's/.*version \([0-9.]*\).*/\1/p' | head -n 1)
	if [ "${have%%.*}" -ge $qemu_wanted ] 2> /dev/null; then
		own_qemu "$new"
		echo "$have" > "$new/version"
	elif ! unpack_qemu "$new"; then
		say "using the machine's own qemu ${have:-(none)}, older than $qemu_wanted: some tests may fail there"
		find "$new" -mindepth 1 -delete
		own_qemu "$new"
		echo "$have" > "$new/version"
		touch "$new/stand-in"
	fi
	commit "$(folder qemu)"
}
