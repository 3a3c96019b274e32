/** What somebody who mistyped a name probably meant. */

/** Longest word that is compared; nobody mistypes more than this. */
const WORD_MAX = 64;

/**
 * The candidate closest to a mistyped word, for a hint.
 *
 * @param word What was typed.
 * @param candidates What could have been meant; the first of equally close ones wins.
 * @returns A candidate that the word is a part of, or one at most a third of the word away.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length === 0 || word.length > WORD_MAX) return undefined;
  const part = candidates.find((candidate) => candidate.endsWith(`.${word}`));
  if (part !== undefined) return part;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** Letters to insert, drop or replace to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
