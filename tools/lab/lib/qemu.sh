# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-only
# The command line of a guest's machine. Sourced by run, whose options it reads.

# qemu_command KERNEL INITRD: sets $qemu, an array.
qemu_command() {
	local i bus='' second=''
	qemu=("$("$here/fetch" qemu)/qemu" -M "$machine" -m "$mem" -smp "$smp" -no-reboot
		-display none -vga none -serial stdio -monitor none -kernel "$1/vmlinux" -initrd "$2")
	case $machine in
	pseries) qemu+=(-cpu power9 -nodefaults) ;;
	powernv*) bus=pcie. ;; # no -nodefaults: its PHBs are defaults; each takes one device, which may have functions
	esac
	for ((i = 0; i < edu; i++)); do
		[ "$i" -gt 0 ] || [ -z "$disk" ] || second=,multifunction=on
		qemu+=(-device "edu,dma_mask=0xffffffffffffffff${bus:+,bus=$bus$i,addr=0$second}")
		second=''
	done
	[ -z "$disk" ] || qemu+=(-drive "if=none,id=disk,format=raw,snapshot=on,file=$disk" -device "nvme,drive=disk,serial=tcewin-disk${bus:+,bus=${bus}0,addr=0.1}")
	for i in "${devices[@]}"; do qemu+=(-device "$i"); done
	[ -z "$icount" ] || qemu+=(-icount 'shift=0,sleep=off')
	[ -z "$monitor" ] || qemu+=(-chardev "pipe,id=monitor,path=$scratch/monitor" -mon "chardev=monitor,mode=readline")
	qemu+=("${extra[@]}")
	# QEMU's XIVE can lose an interrupt from one CPU to another, and that CPU hears of none any more: work for it then waits
	# for seconds. XICS does not.
	[ "$smp" -eq 1 ] || [ "$machine" != pseries ] || append+=" xive=off"
	# Any oops ends the guest, and a panic ends QEMU: nothing is learnt from a kernel that goes on after one.
	qemu+=(-append "console=hvc0 loglevel=7 printk.time=1 printk.devkmsg=on oops=panic panic=-1 $append")
}
