# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# QEMU for ppc64el, to be run inside a guest as a client of VFIO: Debian's program, the libraries it is linked with and its firmware, in
# a folder that may be copied anywhere. Sourced by fetch.

# Where a series is to be had, the first that is whole: SUITE, or SUITE/SUITE where libraries are another's. Testing moves on: qemu-11 is
# 11 or later.
client_suites() {
	case $1 in
	qemu-7.2) echo bookworm ;;
	qemu-10.0) echo trixie bookworm-backports/bookworm ;;
	qemu-11) echo forky sid ;;
	esac
}

# client_versions SUITE SERIES: its versions of that series, newest first. "11" allows what is later.
client_versions() {
	local version upstream
	apt_do "$1" apt-cache show qemu-system-ppc:ppc64el 2> /dev/null | sed -n 's/^Version: //p' | sort -rVu | while read -r version; do
		upstream=${version#*:}
		case $2 in
		*.*) [[ $upstream != "$2"[.+]* ]] || echo "$version" ;;
		*) [ "${upstream%%.*}" -lt "$2" ] || echo "$version" ;;
		esac
	done
}

# download_client SUITE LIBRARIES VERSION: QEMU's packages of SUITE, and what the other suite's QEMU depends on. What a mirror in mid-sync
# lists and does not have is passed over: place_client says whether it is missed.
download_client() {
	local version=$3
	apt_download "$1" "$new" "qemu-system-ppc:ppc64el=$version" qemu-system-data || return 1
	mkdir "$new/libraries"{,/partial}
	apt_do "$2" apt-get -qq -y -o "APT::Architecture=ppc64el" -o "Dir::Cache::archives=$new/libraries" -o Debug::NoLocking=1 \
		--no-install-recommends --download-only install qemu-system-ppc 2>&1 | sed -n 's/^E: *//p' >&2 || true
	rm -f "$new"/libraries/qemu-*.deb
	mv "$new"/libraries/*.deb "$new/"
	rm -r "$new/libraries"
}

# place_client FROM TO: qemu (a script), qemu-system-ppc64, lib and share in TO, of packages that are unpacked in FROM. Fails with one
# line that names the libraries that are not there.
place_client() {
	local from=$1 to=$2 file soname missing='' todo=(usr/bin/qemu-system-ppc64)
	mkdir -p "$to"/{lib,share}
	cp "$from/usr/bin/qemu-system-ppc64" "$to/"
	cp -L "$from/usr/share/qemu/slof.bin" "$to/share/"
	while [ ${#todo[@]} -gt 0 ]; do
		file=${todo[0]} todo=("${todo[@]:1}")
		for soname in $(powerpc64le-linux-gnu-readelf -d "$from/$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p') ld64.so.2; do
			[ ! -e "$to/lib/$soname" ] || continue
			file=$(cd "$from" && find . -name "$soname" -path '*/lib*/*' | head -n 1)
			[ -n "$file" ] || { [[ " $missing " = *" $soname "* ]] || missing+=" $soname"; continue; }
			# A link may be absolute, and then leads elsewhere.
			file=$(cd "$from" && realpath --relative-to=. "$file")
			cp "$from/$file" "$to/lib/$soname" && todo+=("$file")
		done
	done
	[ -z "$missing" ] || { say "these libraries cannot be had:$missing"; return 1; }
	cat > "$to/qemu" <<- 'END'
		#!/bin/sh
		dir=${0%/*}
		exec "$dir/lib/ld64.so.2" --library-path "$dir/lib" "$dir/qemu-system-ppc64" -L "$dir/share" "$@"
	END
	chmod 755 "$to/qemu" "$to/lib/ld64.so.2"
}

# fetch_client NAME: the newest of that series of which the mirror has all it takes.
fetch_client() {
	local name=$1 from suite libraries version
	need dpkg-deb powerpc64le-linux-gnu-readelf
	for from in $(client_suites "$name"); do
		suite=${from%/*} libraries=${from#*/}
		apt_refresh "$suite" || continue
		apt_refresh "$libraries" || continue
		for version in $(client_versions "$suite" "${name#qemu-}"); do
			begin "$(folder "$name")"
			if download_client "$suite" "$libraries" "$version" && mkdir "$new/all" && mv "$new"/*.deb "$new/all/" &&
				unpack_debs "$new/all" && place_client "$new/all" "$new"; then
				rm -r "$new/all"
				echo "$version" > "$new/version"
				commit "$(folder "$name")"
				return
			fi
			rm -rf "$new"
			say "qemu-system-ppc $version of $suite is listed, but cannot be had whole"
		done
		say "suite $suite of this mirror has no $name"
	done
	die "$name is not available from this mirror"
}
