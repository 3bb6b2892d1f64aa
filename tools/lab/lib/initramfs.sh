# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# The guest's root: busybox and init, the modules asked for, files, the program, and the plan that init follows.
# Sourced by run, whose options it reads. Two cpio archives, one after the other and uncompressed: the first is kept in the cache.

# quoted WORD...: words as a shell of any kind reads them back.
quoted() {
	local word
	for word in "$@"; do printf " '%s'" "${word//\'/\'\\\'\'}"; done
}

pack() { (cd "$1" && find . -mindepth 1 -print0 | sort -z | cpio -o -0 -H newc -R 0:0 --quiet --reproducible); }

# base_archive BUSYBOX INIT: prints the path of the archive that holds both.
base_archive() {
	local sum base root
	sum=$(cat "$1" "$2" | sha256sum)
	base=$lab_cache/initramfs/base-${sum:0:16}.cpio
	if [ ! -e "$base" ]; then
		root=$scratch/base
		mkdir -p "$root/bin" "$root/dev" "$lab_cache/initramfs"
		install -m 755 "$1" "$root/bin/busybox"
		ln -s busybox "$root/bin/sh"
		install -m 755 "$2" "$root/init"
		pack "$root" > "$scratch/base.cpio"
		mv "$scratch/base.cpio" "$base"
	fi
	echo "$base"
}

# add_modules KERNEL ROOT NAME...: copies modules of the kernel with all they need, and indices for the guest's modprobe.
add_modules() {
	local kernel=$1 root=$2 release from to name file shown
	shift 2
	[ $# -gt 0 ] || return 0
	release=$(cat "$kernel/release")
	from=$kernel/modules to=$root/lib/modules/$release
	mkdir -p "$to"
	cp "$from/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$to/" 2> /dev/null || true
	for name in "$@"; do
		shown=$(modprobe -C /dev/null -d "$from" -S "$release" --show-depends "$name" 2>&1) ||
			cannot "kernel $(basename "$kernel") has no module $name"
		while read -r file; do
			file=/${file#*/lib/modules/}
			mkdir -p "$root/lib/modules$(dirname "$file")"
			cp "$from/lib/modules$file" "$root/lib/modules$file"
		done < <(sed -n 's/^insmod \([^ ]*\).*/\1/p' <<< "$shown")
	done
	depmod -b "$root" "$release"
}

add_file() {
	local root=$1 spec=$2 from to
	from=${spec%%:*} to=/files/
	[[ $spec != *:* ]] || to=${spec#*:}
	[ -e "$from" ] || cannot "no file $from"
	[[ $to != */ ]] || to+=$(basename "$from")
	mkdir -p "$root/$(dirname "$to")"
	cp -rL --preserve=mode "$from" "$root/$to"
}

# initramfs KERNEL [ARGUMENT...]: fills $scratch/root, the second archive to be. ARGUMENTS are the program's.
initramfs() {
	local kernel=$1 root=$scratch/root spec file
	shift
	mkdir -p "$root"/{bin,lab,modules}
	add_modules "$kernel" "$root" "${modprobes[@]}" "${kmods[@]}"
	for file in "${modules[@]}" "${insmods[@]}"; do
		[ -e "$file" ] || cannot "no file $file"
		cp -L "$file" "$root/modules/"
	done
	for spec in "${files[@]}"; do add_file "$root" "$spec"; done
	install -m 755 "$program" "$root/bin/$(basename "$program")"
	{
		for file in "${modprobes[@]}"; do echo "load modprobe$(quoted "$file")"; done
		for file in "${insmods[@]}"; do echo "load insmod$(quoted "/modules/$(basename "$file")")"; done
		echo "program() {$(quoted "/bin/$(basename "$program")" "$@"); }"
		echo "leaks() { $kmemleak; }"
	} > "$root/lab/plan"
}
