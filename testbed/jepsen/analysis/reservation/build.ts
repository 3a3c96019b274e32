/**
 * Operations become problems: one for each set of resources that bundles, shared keys or an id of unclear origin hold
 * together. What happens in one of them does not matter to another, so each is judged by itself.
 */
import type { LogicalOperation } from "./logical.ts";
import type { Material } from "./material.ts";
import { Numbering } from "./numbering.ts";
import type { Problem } from "./problem.ts";
import { memberIds, type Sighting } from "./sightings.ts";

/**
 * Splits a history into problems, in the order of their first operation. Each is made when it is asked for, so that only
 * one of them takes memory at a time.
 */
export function* buildProblems(material: Material): Generator<Problem> {
  const orphans = orphansByReserve(material.sightings);
  for (const part of partsOf(material)) yield new Numbering(material, orphans, part).problem();
}

/** Operations that matter to each other, in the order of their beginning. */
export function partsOf({ operations, sightings }: Material): readonly LogicalOperation[][] {
  const nodes = new Nodes();
  const first = new Int32Array(operations.length);
  for (const [i, operation] of operations.entries()) {
    first[i] = nodes.join(nodesOf(operation, sightings));
  }
  const parts = new Map<number, LogicalOperation[]>();
  for (const [i, operation] of operations.entries()) {
    const part = nodes.rootOf(first[i]!);
    const others = parts.get(part);
    if (others === undefined) parts.set(part, [operation]);
    else others.push(operation);
  }
  return [...parts.values()];
}

/** What an operation depends on: ids of resources, and shared keys as negative numbers. */
function nodesOf(
  { request, answer, group }: LogicalOperation,
  sightings: ReadonlyMap<bigint, Sighting>,
): readonly bigint[] {
  if (group < 0 && answer?.kind === "applied" && "resourceId" in request) {
    return [request.resourceId];
  }
  const nodes = group < 0 ? [] : [-1n - BigInt(group)];
  if ("resourceId" in request) nodes.push(request.resourceId);
  else if ("resourceIds" in request) nodes.push(...request.resourceIds);
  else nodes.push(...originNodes(sightings.get(request.reservationId)));
  if (answer?.kind === "resource" && answer.reservationId !== undefined) {
    nodes.push(...originNodes(sightings.get(answer.reservationId)));
  }
  return nodes;
}

function originNodes(seen: Sighting | undefined): bigint[] {
  if (seen === undefined) return [];
  const makers = seen.hasMaker ? seen.makers : seen.candidates;
  return makers.flatMap((maker) => [...memberIds(maker)]);
}

/** For each unanswered reserve the ids of unclear origin that it may have made. */
function orphansByReserve(
  sightings: ReadonlyMap<bigint, Sighting>,
): Map<LogicalOperation, Sighting[]> {
  const orphans = new Map<LogicalOperation, Sighting[]>();
  for (const seen of sightings.values()) {
    for (const operation of seen.candidates) {
      const others = orphans.get(operation);
      if (others === undefined) orphans.set(operation, [seen]);
      else others.push(seen);
    }
  }
  return orphans;
}

/** What holds operations together: sets that only grow. */
class Nodes {
  readonly #numbers = new Map<bigint, number>();
  readonly #parents: number[] = [];

  /** One of the nodes that are now in the same set; that of whatever depends on nothing if there are none. */
  join(nodes: readonly bigint[]): number {
    let first = -1;
    for (const node of nodes) {
      const number = this.#numberOf(node);
      if (first < 0) first = number;
      else this.#parents[this.rootOf(number)] = this.rootOf(first);
    }
    return first < 0 ? this.#numberOf(NOWHERE) : first;
  }

  rootOf(number: number): number {
    let root = number;
    while (this.#parents[root]! !== root) root = this.#parents[root]!;
    for (let at = number; at !== root;) {
      const up = this.#parents[at]!;
      this.#parents[at] = root;
      at = up;
    }
    return root;
  }

  #numberOf(node: bigint): number {
    let number = this.#numbers.get(node);
    if (number === undefined) {
      number = this.#parents.length;
      this.#numbers.set(node, number);
      this.#parents.push(number);
    }
    return number;
  }
}

/** Below all shared keys, and no id is negative. */
const NOWHERE = -(2n ** 64n);
