# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0-only
# Reads a guest's console: passes it on, and finds the result and the first splat in it. Sourced by run and selftest.

# patterns_of KIND: the lines of tools/lab/splats of that kind, as one.
patterns_of() { sed -n "s/^$1 //p" "${BASH_SOURCE[0]%/*}/../splats" | paste -sd '|'; }
splat_word=$(patterns_of word)
splat_bare=$(patterns_of bare)
splat_harmless=$(patterns_of harmless)
splat_stamp=$(patterns_of stamp)

# text_of LINE: sets text to what the kernel says in it. False: a program says it.
text_of() {
	text=$1
	if [[ $1 =~ $splat_bare ]]; then return 0; fi
	[[ $1 =~ ${splat_stamp}(.*) ]] || return 1
	text=${BASH_REMATCH[2]}
}

is_splat() {
	local text
	text_of "$1" || return 1
	[[ $text =~ $splat_bare || ($text =~ $splat_word && ! $text =~ $splat_harmless) ]]
}

# is_expected LINE: a pattern of "expected" is in the kernel's words, and has come with that (came).
expected=() came=()
is_expected() {
	local text i found=1
	[ ${#expected[@]} -gt 0 ] && text_of "$1" || return 1
	for i in "${!expected[@]}"; do
		if [[ $text =~ ${expected[i]} ]]; then came[i]=yes found=0; fi
	done
	return "$found"
}

# ask_monitor NUMBER COMMAND: what the guest wants of QEMU, which it says more than once.
asked=0
ask_monitor()
{
	[ -n "$monitor" ] && [ "$1" -gt "$asked" ] || return 0
	asked=$1
	say "the guest asks QEMU: $2"
	printf '%s\n' "$2" > "$scratch/monitor.in"
}

# Seconds of silence after which a guest that has said its last word is stuck.
goodbye=${TCEWIN_LAB_PATIENCE:-60}

# watch_console: copies stdin to stdout, and to file descriptor 9 (the log), until it ends. Sets result (the program's status), failure
# (what init could not do), died (the panic's line), splat (the first), splats (how many), lockdep (off or empty), and stuck when a
# guest that has said its last word does not go.
watch_console() {
	local line patience=()
	result='' failure='' died='' splat='' splats=0 lockdep='' stuck=''
	while IFS= read -r "${patience[@]}" line || { [ $? -gt 128 ] && stuck=yes; } || [ -n "$line" ]; do
		[ -z "$stuck" ] || return 0
		line=${line//$'\r'/}
		case $line in
		*LAB-EXIT\ *)
			[[ ! $line =~ LAB-EXIT\ ([0-9]+) ]] || result=${BASH_REMATCH[1]} patience=(-t "$goodbye")
			continue ;;
		*LAB-FAIL\ *) failure=${line#*LAB-FAIL } patience=(-t "$goodbye"); continue ;;
		*"warning: TCG doesn't support requested feature, cap-"*) continue ;; # on every pseries guest
		*LAB-LOCKDEP-OFF*) lockdep=off; continue ;;
		*LAB-MONITOR\ *)
			[[ ! $line =~ LAB-MONITOR\ ([0-9]+)\ (.*)\ LAB-END$ ]] || ask_monitor "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
			continue ;;
		*'Kernel panic'*) [ -n "$died" ] || died=${line##*Kernel panic}; died=${died# - } patience=(-t "$goodbye") ;;
		esac
		printf '%s\n' "$line"
		printf '%s\n' "$line" >&9
		if is_expected "$line"; then continue; fi
		if is_splat "$line"; then
			case $splat in '' | *====*) splat=$line ;; esac # a headline of "=" says nothing
			splats=$((splats + 1))
		fi
	done
}
