/** Two texts side by side, as `diff -u` shows them. */

interface Edit {
  /** A blank for a line of both texts. */
  readonly sign: " " | "-" | "+";
  readonly line: string;
  /** Lines of the old and of the new text before this one. */
  readonly oldAt: number;
  readonly newAt: number;
}

const CONTEXT_LINES = 3;

/**
 * Compares texts line by line. Takes time and room of the product of their lengths: for texts of a few hundred lines.
 *
 * @param before The old text.
 * @param after The new one.
 * @param name What they are called.
 * @returns A unified diff; empty when they are the same.
 */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return "";
  const edits = editsOf(before.split("\n"), after.split("\n"));
  const hunks = hunksOf(edits).map((hunk) => {
    const { oldAt, newAt } = hunk[0]!;
    const oldCount = hunk.filter(({ sign }) => sign !== "+").length;
    const newCount = hunk.filter(({ sign }) => sign !== "-").length;
    const head = `@@ -${oldAt + 1},${oldCount} +${newAt + 1},${newCount} @@`;
    return [head, ...hunk.map(({ sign, line }) => sign + line)].join("\n");
  });
  return [`--- ${name} (expected)`, `+++ ${name} (found)`, ...hunks].join("\n");
}

/** The fewest lines to take away and to add, by the longest common subsequence. */
function editsOf(before: readonly string[], after: readonly string[]): Edit[] {
  const common = commonLengths(before, after);
  const edits: Edit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const place = { oldAt: i, newAt: j };
    if (i < before.length && j < after.length && before[i] === after[j]) {
      edits.push({ sign: " ", line: before[i]!, ...place });
      i++;
      j++;
    } else if (
      i < before.length && (j === after.length || common[i + 1]![j]! >= common[i]![j + 1]!)
    ) {
      edits.push({ sign: "-", line: before[i++]!, ...place });
    } else edits.push({ sign: "+", line: after[j++]!, ...place });
  }
  return edits;
}

/** At `[i][j]` how many lines the rests from `i` and from `j` on have in common, in order. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const lengths = Array.from(
    { length: before.length + 1 },
    () => new Array<number>(after.length + 1).fill(0),
  );
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      lengths[i]![j] = before[i] === after[j]
        ? lengths[i + 1]![j + 1]! + 1
        : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  return lengths;
}

/** What has changed with a few lines around it; what is near belongs together. */
function hunksOf(edits: readonly Edit[]): Edit[][] {
  const hunks: { from: number; to: number }[] = [];
  for (const [at, { sign }] of edits.entries()) {
    if (sign === " ") continue;
    const from = Math.max(0, at - CONTEXT_LINES);
    const to = Math.min(edits.length, at + CONTEXT_LINES + 1);
    const last = hunks.at(-1);
    if (last !== undefined && from <= last.to) last.to = to;
    else hunks.push({ from, to });
  }
  return hunks.map(({ from, to }) => edits.slice(from, to));
}
