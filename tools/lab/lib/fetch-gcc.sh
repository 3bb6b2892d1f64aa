# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# The cross compiler of another Debian release, unpacked with the libraries it runs with, nothing installed; and programs of newer
# packages (a kernel's modpost) made to run on an older machine in the same way. Sourced by fetch. Folders may be moved.

# apt_closure SUITE PACKAGE: it and what it depends on for this machine, one name (NAME:ARCHITECTURE) a line.
apt_closure() {
	# Files are named NAME_VERSION_ARCHITECTURE.deb.
	apt_do "$1" apt-get -qq -o "APT::Architecture=$apt_host" --no-install-recommends --print-uris install "$2" |
		awk '{ print $2 }' | sed -E 's/_.*_all\.deb$//; s/_.*_(.*)\.deb$/:\1/'
}

# runs_here FILE: a program of this machine whose libraries, in the versions it wants, are here. Scripts and the like run.
runs_here() {
	[ "$(head -c 4 "$1" | tr -d '\0')" = $'\177ELF' ] || return 0
	! { ldd "$1" 2>&1 || true; } | grep -q 'not found'
}

# wrap ROOT FILE...: each program becomes FILE.elf and a script that runs it with the loader and libraries that ROOT holds.
wrap() {
	local root=$1 loader file up
	shift
	loader=$(cd "$root" && { find usr/lib lib \( -name 'ld-linux-*.so.*' -o -name 'ld64.so.*' \) ! -path '*-cross*' 2> /dev/null || true; } |
		head -n 1)
	[ -n "$loader" ] || die "no loader in $root"
	for file in "$@"; do
		mv "$file" "$file.elf"
		up=$(realpath --relative-to="$(dirname "$file")" "$root")
		cat > "$file" <<- END
			#!/bin/sh
			self=\$(readlink -f "\$0")
			root=\${self%/*}/$up
			exec "\$root/$loader" --argv0 "\$self" --library-path "\$root/${loader%/*}" "\$self.elf" "\$@"
		END
		chmod 755 "$file"
	done
}

# place_libraries DIR SUITE: the programs of the kernel's build system that want newer libraries than this machine has get them in DIR/host.
place_libraries() {
	local dir=$1 suite=$2 file packages programs=()
	while read -r file; do
		runs_here "$file" || programs+=("$file")
	done < <(find "$dir"/usr/lib/linux-kbuild-* -type f -perm -100)
	[ ${#programs[@]} -gt 0 ] || return 0
	packages=$(apt_closure "$suite" "$(basename "$dir"/usr/lib/linux-kbuild-*)" | grep -E '^z?lib' | grep -vE 'gconv|dwarves')
	mkdir "$dir/host"
	# shellcheck disable=SC2086
	apt_download "$suite" "$dir/host" $packages
	unpack_debs "$dir/host"
	rm -rf "$dir"/host/{etc,usr/share}
	wrap "$dir/host" "${programs[@]}"
}

# Where a compiler comes from: the oldest release that has it, for it wants the least of the machine.
gcc_suites() {
	case $1 in
	gcc-1[12]) echo bookworm ;;
	gcc-1[34]) echo trixie forky ;;
	*) echo forky ;;
	esac
}

fetch_gcc() {
	local name=$1 package=$1-powerpc64le-linux-gnu packages file
	# shellcheck disable=SC2046
	first_suite "$name" "$package" $(gcc_suites "$name")
	begin "$(folder "$name")"
	# Libraries of programs that it would make are of no use here, its own headers are.
	packages=$(apt_closure "$suite" "$package" | grep -vE '^lib([^:]*[0-9]-ppc64el-cross|c-gconv.*)$')
	# shellcheck disable=SC2086
	apt_download "$suite" "$new" $packages
	apt_version "$suite" "$package" > "$new/version"
	unpack_debs "$new"
	rm -rf "${new:?}"/usr/share
	while read -r file; do
		[ "$(head -c 4 "$file" | tr -d '\0')" != $'\177ELF' ] || wrap "$new" "$file"
	done < <(find "$new"/usr/bin "$new"/usr/lib*/gcc-cross "$new"/usr/libexec -type f -perm -100 ! -name '*.so*' 2> /dev/null)
	"$new/usr/bin/powerpc64le-linux-gnu-$name" --version > /dev/null || die "$package does not run on this machine"
	commit "$(folder "$name")"
}
