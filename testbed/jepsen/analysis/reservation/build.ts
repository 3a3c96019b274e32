/**
 * Operations become problems: one for each set of resources that bundles, shared keys or an id of unclear origin hold
 * together. What happens in one of them does not matter to another, so each is judged by itself.
 */
import type { LogicalOperation } from "./fold.ts";
import type { Material } from "./material.ts";
import { Numbering } from "./numbering.ts";
import type { Problem } from "./problem.ts";
import { memberIds, type Sighting } from "./sightings.ts";

/** Splits a history into problems, in the order of their first operation. */
export function buildProblems(material: Material): Problem[] {
  const { operations, sightings } = material;
  const nodes = operations.map((operation) => nodesOf(operation, sightings));
  const sets = new DisjointSets();
  for (const together of nodes) sets.join(together);
  const parts = new Map<bigint | undefined, LogicalOperation[]>();
  for (const [i, operation] of operations.entries()) {
    const [node] = nodes[i]!;
    const part = node === undefined ? undefined : sets.rootOf(node);
    const others = parts.get(part);
    if (others === undefined) parts.set(part, [operation]);
    else others.push(operation);
  }
  const orphans = orphansByReserve(sightings);
  return [...parts.values()].map((part) => new Numbering(material, orphans, part).problem());
}

/** What an operation depends on: ids of resources, and shared keys as negative numbers. */
function nodesOf(
  { request, answer, group }: LogicalOperation,
  sightings: ReadonlyMap<bigint, Sighting>,
): bigint[] {
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
  const makers = seen.makers.length > 0 ? seen.makers : seen.candidates;
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

/** Sets that only grow together. */
class DisjointSets {
  readonly #parents = new Map<bigint, bigint>();

  join(nodes: readonly bigint[]): void {
    for (const node of nodes) {
      const [root, first] = [this.rootOf(node), this.rootOf(nodes[0]!)];
      if (root !== first) this.#parents.set(root, first);
    }
  }

  rootOf(node: bigint): bigint {
    let root = node;
    for (let up = this.#parents.get(root); up !== undefined; up = this.#parents.get(root)) {
      root = up;
    }
    if (root !== node) this.#parents.set(node, root);
    return root;
  }
}
