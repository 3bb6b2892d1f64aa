# SPDX-License-Identifier: GPL-2.0-only
# All figures of a machine and kernel (a JSON array, see tools/bench/run) as a table of Markdown, a row for each thing done.

def number:
	if . == null then ""
	elif . >= 1e9 then "\(. / 1e8 | round / 10) G"
	elif . >= 1e6 then "\(. / 1e5 | round / 10) M"
	elif . >= 1e5 then "\(. / 1e3 | round) k"
	elif . >= 100 then "\(round)"
	elif . >= 1 then "\(. * 10 | round / 10)"
	elif . >= 0.01 then "\(. * 1000 | round / 1000)"
	else "\(. * 100000 | round / 100000)"
	end;
def ratio($over; $under): if $over == null or $under == null or $under == 0 then null else $over / $under end | number;

# {row: {measure: {of: value}}}, and the rows in the order in which they were measured
(reduce .[] as $f ({}; .[$f.row][$f.measure][$f.of] = $f.value | .[$f.row].unit = $f.unit)) as $by
| (reduce .[].row as $row ([]; if index($row) then . else . + [$row] end)) as $rows
| "| | per | instructions: tcewin | in-tree | ratio | hypercalls: tcewin | in-tree | ns: tcewin | in-tree | floor | in-tree / tcewin | tcewin / floor |",
  "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
  ($rows[] | . as $row | $by[$row] | .instructions as $i | .hypercalls as $h | .time as $t
	| [$row, .unit, ($i.tcewin | number), ($i["in-tree"] | number), ratio($i["in-tree"]; $i.tcewin),
	   ($h.tcewin | number), ($h["in-tree"] | number),
	   ($t.tcewin | number), ($t["in-tree"] | number), ($t.floor | number),
	   ratio($t["in-tree"]; $t.tcewin), ratio($t.tcewin; $t.floor)]
	| select($i != null or $t != null)
	| "| " + join(" | ") + " |"),
  (([.[] | select(.measure == "bytes")] | select(length > 0))
	| "", "| kernel memory, bytes a GiB | tcewin | in-tree |", "|---|--:|--:|",
	  (map(.row) | unique[]) as $row
	| "| \($row) | \($by[$row].bytes.tcewin | number) | \($by[$row].bytes["in-tree"] | number) |")
