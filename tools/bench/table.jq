# SPDX-License-Identifier: GPL-2.0-only
# The figures of a machine and kernel (a JSON array, see tools/bench/run) as a table of Markdown, a row for each thing done whose name
# matches $rows.

# Three digits say enough.
def number:
	if . == null then ""
	elif . >= 1e9 then "\(. / 1e8 | round / 10) G"
	elif . >= 1e6 then "\(. / 1e5 | round / 10) M"
	elif . >= 1e5 then "\(. / 1e3 | round) k"
	elif . >= 100 then "\(round)"
	elif . >= 1 then "\(. * 10 | round / 10)"
	else "\(. * 10000 | round / 10000)"
	end;
def ratio($over; $under): if $over == null or $under == null or $under == 0 then null else $over / $under end | number;
def line: "| " + join(" | ") + " |";

[ "", "per", "instructions: tcewin", "in-tree", "ratio", "hypercalls: tcewin", "in-tree",
  "ns: tcewin", "in-tree", "floor", "in-tree / tcewin", "tcewin / floor"] as $head
# {row: {measure: {of: value}}}, and the rows in the order in which they were measured
| (reduce .[] as $f ({}; .[$f.row][$f.measure][$f.of] = $f.value | .[$f.row].unit = $f.unit)) as $by
| reduce (.[] | select(.measure != "bytes").row | select(test($rows))) as $row ([]; if index($row) then . else . + [$row] end)
| map(. as $row | $by[$row] | .instructions as $i | .hypercalls as $h | .time as $t
	| [ $row, .unit, ($i.tcewin | number), ($i["in-tree"] | number), ratio($i["in-tree"]; $i.tcewin),
	    ($h.tcewin | number), ($h["in-tree"] | number), ($t.tcewin | number), ($t["in-tree"] | number), ($t.floor | number),
	    ratio($t["in-tree"]; $t.tcewin), ratio($t.tcewin; $t.floor)])
# without the columns in which there is nothing
| . as $rows
| [range($head | length) | select(. as $column | any($rows[]; .[$column] != ""))] as $filled
| ($head, ["---", "---", ($head[2:][] | "--:")], $rows[]) | [.[$filled[]]] | line
