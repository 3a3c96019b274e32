/** Histories of registers and texts that are made up: what is hard for a checker, and what is hopeless. */
import type { ModelName, ModelOperation, Value } from "../../testbed/jepsen/history/model.ts";
import type { SeededRandom } from "../../testbed/sim/random.ts";

/** Ten clients on a register of five values, a hundred operations, one in twenty never answered. */
export function memoryStress(random: SeededRandom): ModelOperation[] {
  const operations: ModelOperation[] = [];
  const clients = Array.from({ length: 10 }, (_, i): Client => ({ process: i, open: undefined }));
  let held: Value = null;
  let processes = clients.length;
  for (
    let at = 0;
    operations.length < 100 || clients.some(({ open }) => open !== undefined);
    at++
  ) {
    const client = clients[random.below(clients.length)]!;
    if (client.open === undefined) {
      if (operations.length >= 100) continue;
      client.open = { index: operations.length, hasHappened: false, seen: null };
      operations.push(begin(random, client.process, at));
      continue;
    }
    const { index, hasHappened, seen } = client.open;
    const operation = operations[index]!;
    if (!hasHappened) {
      client.open = { index, hasHappened: true, seen: held };
      held = after(operation, held);
      continue;
    }
    client.open = undefined;
    if (random.oneIn(20)) client.process = processes++;
    else operations[index] = { ...operation, completedAt: at, outcome: outcomeOf(operation, seen) };
  }
  return operations;
}

interface Client {
  process: number;
  open: { readonly index: number; readonly hasHappened: boolean; readonly seen: Value } | undefined;
}

function begin(random: SeededRandom, client: number, at: number): ModelOperation {
  const value = (): bigint => BigInt(random.below(5));
  const kind = random.below(4);
  const asked = kind < 2
    ? { f: "read", value: null }
    : kind === 2
    ? { f: "write", value: value() }
    : { f: "cas", value: [value(), value()] };
  return {
    process: client,
    ...asked,
    invokedAt: at,
    completedAt: undefined,
    outcome: { kind: "info" },
  };
}

function after({ f, value }: ModelOperation, held: Value): Value {
  if (f === "read") return held;
  if (f === "write") return value;
  const [expected, next] = value as readonly Value[];
  return held === expected ? next! : held;
}

function outcomeOf({ f, value }: ModelOperation, seen: Value): ModelOperation["outcome"] {
  if (f === "read") return { kind: "ok", value: seen };
  const isMiss = f === "cas" && seen !== (value as readonly Value[])[0];
  return isMiss ? { kind: "fail" } : { kind: "ok", value };
}

/** As Jepsen logs it. */
export function logOf(operations: readonly ModelOperation[]): string {
  const lines = operations.flatMap((operation): [number, string][] => {
    const { process: client, f, value, invokedAt, completedAt, outcome } = operation;
    const line = (type: string, shown: Value): string =>
      `INFO  jepsen.util - ${client}\t:${type}\t:${f}\t${textOf(shown)}`;
    const seen = outcome.kind === "ok" ? outcome.value : value;
    return completedAt === undefined
      ? [[invokedAt, line("invoke", value)]]
      : [[invokedAt, line("invoke", value)], [completedAt, line(outcome.kind, seen)]];
  });
  return lines.sort(([a], [b]) => a - b).map(([, line]) => `${line}\n`).join("");
}

function textOf(value: Value): string {
  return value === null ? "nil" : Array.isArray(value) ? `[${value.join(" ")}]` : `${value}`;
}

/** Thirty that overlap and were never answered, and a read that nothing explains. */
export function hopeless(): { name: string; model: ModelName; operations: ModelOperation[] }[] {
  const lost = (f: string, value: (i: number) => Value): ModelOperation[] =>
    Array.from({ length: 30 }, (_, i) => ({
      process: i,
      f,
      value: value(i),
      invokedAt: i,
      completedAt: undefined,
      outcome: { kind: "info" },
    }));
  const read = (f: string, value: Value): ModelOperation => ({
    process: 99,
    f,
    value: null,
    invokedAt: 100,
    completedAt: 101,
    outcome: { kind: "ok", value },
  });
  const letters = Array.from({ length: 30 }, (_, i) => String.fromCharCode(97 + i));
  const twice = `${letters.join("")}${letters[0]}`;
  return [
    {
      name: "30 writes",
      model: "register",
      operations: [...lost("write", BigInt), read("read", 77n)],
    },
    {
      name: "30 cas, seen to go back",
      model: "cas-register",
      operations: [
        ...lost("cas", (i) => [i === 0 ? null : BigInt(i), BigInt(i + 1)]),
        read("read", 5n),
        { ...read("read", 4n), invokedAt: 102, completedAt: 103 },
      ],
    },
    {
      name: "30 appends, one seen twice",
      model: "kv",
      operations: [...lost("append", (i) => letters[i]!), read("get", twice)],
    },
    {
      name: "30 answered writes over each other, seen back and forth",
      model: "register",
      operations: [
        ...lost("write", BigInt).map((it): ModelOperation => ({
          ...it,
          completedAt: 200 + it.invokedAt,
          outcome: { kind: "ok", value: it.value },
        })),
        read("read", 1n),
        { ...read("read", 2n), invokedAt: 102, completedAt: 103 },
        { ...read("read", 1n), invokedAt: 104, completedAt: 105 },
      ],
    },
  ];
}
