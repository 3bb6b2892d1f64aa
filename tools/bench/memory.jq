# SPDX-License-Identifier: GPL-2.0-only
# What the kernel holds for a registered GiB, of the figures of tools/bench/run, as a table of Markdown.
reduce (.[] | select(.measure == "bytes")) as $f ({}; .[$f.row][$f.of] = "\($f.value / 1024 | round) KiB")
| "| kernel memory of a GiB | tcewin | in-tree |", "|---|--:|--:|",
  (to_entries[] | "| \(.key) | \(.value.tcewin) | \(.value["in-tree"]) |")
