# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# Debian packages without root: one private apt configuration per suite, over the mirror that the machine itself uses.
# Sourced by fetch and kernel. Signatures are checked; expiry dates are not, a mirror may lag. One suite never sees another's packages.

apt_host=$(dpkg --print-architecture)
apt_keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The Debian archive in the machine's own sources, whatever format they are in.
apt_mirror() {
	local codename
	if [ -n "${TCEWIN_MIRROR-}" ]; then
		echo "$TCEWIN_MIRROR"
		return
	fi
	# shellcheck disable=SC1091
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v codename="$codename" '
			$3 != "main" || ($2 != codename && $2 != "stable" && $2 != "testing" && $2 != "unstable") { next }
			$1 ~ /\/debian\/?$/ { good = good ? good : $1 }
			{ any = any ? any : $1 }
			END { if (good || any) print good ? good : any }'
}

# apt_conf SUITE: prints the path of its configuration, made when missing. Proxies and the like are the machine's.
apt_conf() {
	local suite=$1 dir=$lab_cache/apt/$1 mirror
	mirror=$(apt_mirror)
	[ -n "$mirror" ] || die "apt knows no Debian mirror on this machine; name one in TCEWIN_MIRROR"
	mkdir -p "$dir"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial}
	: > "$dir/status"
	echo "deb [arch=ppc64el,$apt_host signed-by=$apt_keyring] $mirror $suite main" > "$dir/etc/sources.list.new"
	cmp -s "$dir/etc/sources.list.new" "$dir/etc/sources.list" || rm -f "$dir/updated"
	mv "$dir/etc/sources.list.new" "$dir/etc/sources.list"
	{
		apt-config dump | grep -E '^Acquire::(https?|ftp|ForceIPv)' || true
		cat <<- END
			Dir "$dir";
			Dir::Etc "$dir/etc";
			Dir::State "$dir/state";
			Dir::State::status "$dir/status";
			Dir::Cache "$dir/cache";
			APT::Architecture "ppc64el";
			APT::Architectures { "ppc64el"; "$apt_host"; };
			APT::Sandbox::User "root";
			Acquire::Languages "none";
			Acquire::Check-Valid-Until "false";
			Acquire::Retries "3";
		END
	} > "$dir/apt.conf"
	echo "$dir/apt.conf"
}

apt_do() {
	local suite=$1
	shift
	APT_CONFIG=$lab_cache/apt/$suite/apt.conf "$@"
}

# apt_refresh SUITE [now]: its package lists are there, at most a day old. Fails with one line when the mirror does not have it.
apt_refresh() {
	local suite=$1 dir=$lab_cache/apt/$1 out
	apt_conf "$suite" > /dev/null
	if [ "${2-}" != now ] && [ -n "$(find "$dir/updated" -mtime -1 2> /dev/null)" ]; then return 0; fi
	say "reading the package lists of $suite"
	# --error-on=any: a list that did not come must not pass for an old one.
	if ! out=$(apt_do "$suite" apt-get -q update --error-on=any 2>&1); then
		rm -f "$dir/updated"
		out=$(sed -n 's/^[EW]: *//p' <<< "$out" | head -n 1 | tr -s ' ')
		say "suite $suite of this mirror does not refresh: ${out:0:200}"
		return 1
	fi
	touch "$dir/updated"
}

# apt_matching SUITE REGEX: the packages whose whole name matches, newest first.
apt_matching() {
	local suite=$1 regex=$2 name
	apt_do "$suite" apt-cache pkgnames | { grep -xE "$regex" || true; } | sort -rV | while read -r name; do
		if apt_do "$suite" apt-cache show "$name" > /dev/null 2>&1; then echo "$name"; fi
	done
}

# apt_newest SUITE REGEX: the first of them.
apt_newest() {
	local found
	found=$(apt_matching "$@")
	[ -n "$found" ] && echo "${found%%$'\n'*}"
}

apt_version() { apt_do "$1" apt-cache show "$2" | sed -n 's/^Version: //p' | head -n 1; }

# apt_download SUITE DIR PACKAGE...: leaves the .deb files in DIR.
apt_download() {
	local suite=$1 dir=$2
	shift 2
	say "downloading $* ($suite)"
	if (cd "$dir" && apt_do "$suite" apt-get -qq download "$@"); then return 0; fi
	# The lists may be older than the mirror.
	apt_refresh "$suite" now && (cd "$dir" && apt_do "$suite" apt-get -qq download "$@")
}
