/** Verbs of machines: crashes, starts, disks, clocks, and what an operator can ask of a replica. */
import type { ClusterMachine } from "../world/machine.ts";
import { damageEntry, damageMetadata, damageSnapshot } from "./damage.ts";
import type { Stage } from "./stage.ts";
import type { Verb, Verbs } from "./verb.ts";
import type { Words } from "./words.ts";

const CHECKPOINT_MS = 2_000;

/** See the top of this file. */
export const REPLICA_VERBS: Verbs = {
  crash: {
    form: "crash R keep|lose",
    says: "the power of a machine fails; its disk keeps what was not synced, or loses it",
    run: (stage, words) =>
      stage.machine(words, 0).crash(words.choice(1, ["keep", "lose"] as const)),
  },
  kill: simple("its process ends at once; what it wrote stays", (machine) => machine.kill()),
  pause: simple(
    "its process stands still, and what is sent to it waits",
    (machine) => machine.pause(),
  ),
  resume: simple("it goes on, with everything that has waited", (machine) => machine.resume()),
  start: {
    form: "start R",
    says: "its process starts on what the disk holds",
    run: (stage, words) => {
      const machine = stage.machine(words, 0);
      machine.start();
      if (machine.refusal !== undefined) stage.say(`${machine.id} does not start`);
    },
  },
  wipe: {
    form: "wipe R",
    says: "its disk is lost; an operator puts a new one with the directory of a replacement",
    run: (stage, words) => stage.world.replace(stage.machine(words, 0)),
  },
  damage: {
    form: "damage R [entry=OP] [metadata=one|both] [snapshot]",
    says: "a bit of a file changes by itself",
    run: damage,
  },
  disk: {
    form: "disk R [takes=TIME] [fails|works]",
    says: "its disk takes this long for each write, fails every write, or works again",
    run: disk,
  },
  checkpoint: {
    form: "checkpoint R",
    says: "it writes a snapshot, and removes what the log no longer needs",
    run: checkpoint,
  },
  clock: {
    form: "clock R +TIME",
    says: "its clock jumps ahead",
    run: (stage, words) => void (stage.machine(words, 0).clockOffsetMs += words.duration(1)),
  },
  elect: simple(
    "an operator asks it to start the next view",
    (machine) => machine.reachSubject((subject) => subject.startViewChange()),
  ),
};

function simple(says: string, act: (machine: ClusterMachine) => void): Verb {
  return { form: "VERB R", says, run: (stage, words) => act(stage.machine(words, 0)) };
}

function damage(stage: Stage, words: Words): void {
  const machine = stage.machine(words, 0);
  stage.world.damaged.add(machine);
  if (words.named.has("entry")) {
    const op = Number(words.number("entry"));
    if (!damageEntry(machine, op)) words.fail(`no file of ${machine.id} holds entry ${op}`);
  } else if (words.named.has("metadata")) {
    damageMetadata(machine, copiesOf(words));
  } else {
    words.choice(1, ["snapshot"]);
    if (!damageSnapshot(machine)) words.fail(`${machine.id} has no snapshot`);
  }
}

function copiesOf(words: Words): 1 | 2 {
  const copies = words.value("metadata");
  if (copies !== "one" && copies !== "both") words.fail("metadata= is one or both");
  return copies === "one" ? 1 : 2;
}

function disk(stage: Stage, words: Words): void {
  const machine = stage.machine(words, 0);
  if (words.named.has("takes")) {
    const ms = words.duration("takes");
    machine.diskMs = [ms, ms];
  } else {machine.disk.failing = words.choice(1, ["fails", "works"]) === "fails"
      ? "io_error"
      : undefined;}
}

function checkpoint(stage: Stage, words: Words): void {
  const machine = stage.machine(words, 0);
  const told: { kind?: string } = {};
  machine.reachSubject((subject) => subject.checkpoint((result) => void (told.kind = result.kind)));
  stage.world.runUntil(() => told.kind !== undefined, CHECKPOINT_MS);
  stage.say(`checkpoint of ${machine.id}: ${told.kind ?? "not done yet"}`);
}
