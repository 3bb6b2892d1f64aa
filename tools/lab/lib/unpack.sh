# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# Debian's kernel packages turned into a folder that a guest can boot and a module can be built against, nothing installed.
# Sourced by fetch. Everything in the folder is relative to it: it may be moved.

# unpack_debs DIR: unpacks DIR/*.deb into DIR and removes them.
unpack_debs() {
	local deb
	for deb in "$1"/*.deb; do
		dpkg-deb -x "$deb" "$1"
		rm "$deb"
	done
}

# place_image DIR: vmlinux, release and modules/lib/modules/RELEASE with plain .ko files and depmod's indices.
place_image() {
	local dir=$1 release from=lib
	[ ! -d "$dir/usr/lib/modules" ] || from=usr/lib
	# Until 6.12 /boot/vmlinux-RELEASE, then modules/RELEASE/vmlinuz; both are the ELF file.
	set -- "$dir"/boot/vmlinux-* "$dir/$from"/modules/*/vmlinuz
	[ -e "$1" ] || shift
	[ -e "$1" ] || die "the image package holds no kernel"
	release=$(basename "$dir/$from"/modules/*)
	echo "$release" > "$dir/release"
	mv "$1" "$dir/vmlinux"
	mkdir -p "$dir/modules/lib/modules"
	mv "$dir/$from/modules/$release" "$dir/modules/lib/modules/"
	find "$dir/modules" -name '*.ko.xz' -print0 | xargs -0 -r -n 200 -P "$(nproc)" unxz
	find "$dir/modules" -name '*.ko.zst' -print0 | xargs -0 -r -n 200 -P "$(nproc)" zstd -q -d --rm
	find "$dir/modules" -type l -delete
	depmod -b "$dir/modules" "$release"
}

# place_headers DIR: build, a tree for make -C DIR/build M=..., out of headers, their common part and kbuild.
place_headers() {
	local dir=$1 release tree
	release=$(cat "$dir/release")
	tree=$dir/usr/src/linux-headers-$release
	[ -e "$tree/.config" ] || die "the headers packages hold no tree for $release"
	# Only there for BTF, which needs pahole and which no module of ours needs.
	rm -f "$tree/vmlinux"
	# Its own place and its neighbour's ("include /usr/src/linux-headers-...-common/Makefile") seen from here; the compiler's exact
	# name, which the machine may not have.
	# shellcheck disable=SC2016
	sed -i -e 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|' \
		-e 's|^KBUILD_OUTPUT=/usr/src/.*|KBUILD_OUTPUT := $(realpath $(dir $(lastword $(MAKEFILE_LIST))))|' "$tree/Makefile"
	# shellcheck disable=SC2016
	sed -i -E 's|\$\(CROSS_COMPILE\)(gcc-[0-9]+)$|$(CROSS_COMPILE)$(if $(shell command -v $(CROSS_COMPILE)\1),\1,gcc)|' \
		"$tree/.kernelvariables"
	# Absolute links of older packages: from the folder's root to relative ones.
	find "$dir/usr" -type l -lname '/usr/*' -print0 | while read -r -d '' link; do
		ln -sfnr "$dir$(readlink "$link")" "$link"
	done
	ln -s "usr/src/linux-headers-$release" "$dir/build"
	rm -rf "${dir:?}"/{boot,lib,usr/share,usr/lib/modules}
}
