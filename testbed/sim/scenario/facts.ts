/** Facts about a cluster, in the words of `expect` and `run-until`: `primary=2`, `role=backup at=2,3`. */
import type { ClusterMachine } from "../world/machine.ts";
import { roleOf } from "./pictures.ts";
import type { Stage } from "./stage.ts";
import type { Words } from "./words.ts";

/** Facts about one replica, by name: the columns of `show`. */
const COLUMNS: Readonly<Record<string, (machine: ClusterMachine) => string>> = {
  role: roleOf,
  view: ({ subject }) => `${subject?.status().view ?? "-"}`,
  log_view: ({ subject }) => `${subject?.status().logView ?? "-"}`,
  commit: ({ subject }) => `${subject?.status().commitOp ?? "-"}`,
  applied: ({ subject }) => `${subject?.status().appliedOp ?? "-"}`,
  tip: ({ subject }) => `${subject?.status().tipOp ?? "-"}`,
};

/** Facts about the whole cluster, by name: what is so, or undefined when it is as the value says. */
const WHOLE: Readonly<
  Record<string, (stage: Stage, words: Words, value: string) => string | undefined>
> = {
  primary: ({ world }, _words, value) =>
    differs("the primary", `${world.primary?.id ?? "none"}`, value),
  committed: ({ world }, _words, value) =>
    differs("the last committed op", `${world.judges.truth.op}`, value),
  answered: (stage, words, value) =>
    stage.asked(words, value).operation.answeredMs === undefined
      ? `${value} is not answered`
      : undefined,
  held: ({ held }, _words, value) =>
    held.messages.some(({ label }) => label === value) ? undefined : `no ${value} is held`,
  "caught-up": caughtUp,
};

/** Every name of a fact. */
export const FACT_NAMES: readonly string[] = [...Object.keys(WHOLE), ...Object.keys(COLUMNS)];

/**
 * Looks whether what a command says is so.
 *
 * @param stage Where.
 * @param words Names facts, and with `at=` the replicas whose they are.
 * @returns What is so instead, or undefined.
 * @throws {ScriptError} When no fact is named, or one about no replica.
 */
export function contradiction(stage: Stage, words: Words): string | undefined {
  const facts = [...words.named].filter(([name]) => FACT_NAMES.includes(name));
  if (facts.length === 0) words.fail(`${words.verb} wants a fact: ${FACT_NAMES.join(", ")}`);
  for (const [name, value] of facts) {
    const whole = WHOLE[name];
    const found = whole === undefined
      ? columnDiffers(stage, words, name, value)
      : whole(stage, words, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

function columnDiffers(
  stage: Stage,
  words: Words,
  name: string,
  value: string,
): string | undefined {
  for (const machine of machinesOf(stage, words, "at")) {
    const found = differs(`${name} of ${machine.id}`, COLUMNS[name]!(machine), value);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether replicas lead or follow, have applied all that is committed, and hold nothing else. */
function caughtUp(stage: Stage, words: Words): string | undefined {
  const op = BigInt(stage.world.judges.truth.op);
  for (const machine of machinesOf(stage, words, "caught-up")) {
    const { id, subject } = machine;
    const status = subject?.status();
    const role = roleOf(machine);
    if (role !== "primary" && role !== "backup") return `${id} is ${role}`;
    if (status!.appliedOp === op && status!.tipOp === op) continue;
    return `${id} has applied ${status!.appliedOp} of ${op}`;
  }
  return undefined;
}

function machinesOf(stage: Stage, words: Words, name: string): ClusterMachine[] {
  const ids = words.replicas(name) ?? words.fail(`${words.verb} wants ${name}=`);
  return ids.map((id) => {
    const found = stage.world.machines.find((machine) => machine.id === id);
    return found ?? words.fail(`there is no replica ${id}`);
  });
}

function differs(what: string, found: string, expected: string): string | undefined {
  return found === expected ? undefined : `${what} is ${found}, not ${expected}`;
}
