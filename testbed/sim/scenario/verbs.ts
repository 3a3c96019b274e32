/** Everything that a protocol script can say, as docs/simulator.md lists it. */
import { CLIENT_VERBS } from "./client_verbs.ts";
import { contradiction, FACT_NAMES } from "./facts.ts";
import { MESSAGE_VERBS } from "./message_verbs.ts";
import { showLog, showReplicas } from "./pictures.ts";
import { REPLICA_VERBS } from "./replica_verbs.ts";
import type { Stage, StageOptions } from "./stage.ts";
import { namesOf, type Verb, type Verbs } from "./verb.ts";
import type { Words } from "./words.ts";

const PATIENCE_MS = 20_000;
const REPLICAS_MAX = 7n;

const LOOKING_VERBS: Verbs = {
  run: {
    form: "run TIME",
    says: "lets time pass; answers that come meanwhile are told",
    run: (stage, words) => stage.world.run(words.duration(0)),
  },
  "run-until": {
    form: "run-until FACT… [within=TIME]",
    says: "lets time pass until something is so; 20 s unless told, then the script fails",
    names: [...FACT_NAMES, "at"],
    run: runUntil,
  },
  expect: {
    form: "expect FACT…",
    says: "fails unless it is so",
    names: [...FACT_NAMES, "at"],
    run: (stage, words) => unmet(words, contradiction(stage, words)),
  },
  show: {
    form: "show",
    says: "all replicas: role, view, and how far their logs are",
    run: (stage) => showReplicas(stage).forEach((line) => stage.say(line)),
  },
  log: {
    form: "log R",
    says:
      "a replica's log, and of each entry whether the cluster has decided for it or for another",
    run: (stage, words) =>
      showLog(stage, stage.machine(words, 0)).forEach((line) => stage.say(line)),
  },
};

/** Verbs by their word, `cluster` aside, which makes the stage for all others. */
export const VERBS: Verbs = {
  ...CLIENT_VERBS,
  ...MESSAGE_VERBS,
  ...REPLICA_VERBS,
  ...LOOKING_VERBS,
};

/** The first command of every script. */
export const CLUSTER: Verb = {
  form: "cluster [replicas=N] [failover=auto|manual] [segment=BYTES] [seed=N]",
  says: "makes a cluster whose replica 1 leads view 1; `manual`: views change only by `elect`",
  run: (_stage, words) => words.fail("a script has one cluster"),
};

/**
 * Reads what cluster a script wants.
 *
 * @param words Its first command.
 * @param seed What chance is drawn from unless the script says so.
 * @returns The cluster.
 */
export function clusterOf(words: Words, seed: number): StageOptions {
  const replicas = words.number("replicas", 3n);
  if (replicas < 1n || replicas > REPLICAS_MAX) words.fail(`replicas= is 1 to ${REPLICAS_MAX}`);
  const failover = words.named.get("failover") ?? "auto";
  if (failover !== "auto" && failover !== "manual") words.fail("failover= is auto or manual");
  const segment = words.named.has("segment") ? Number(words.number("segment")) : undefined;
  return {
    seed: Number(words.number("seed", BigInt(seed))),
    replicas: Number(replicas),
    isManual: failover === "manual",
    ...(segment === undefined ? {} : { segmentBytes: segment }),
  };
}

/** Checks a command as far as that is possible without a cluster. */
export function checkCommand(words: Words): void {
  const verb = words.verb === "cluster"
    ? CLUSTER
    : Object.hasOwn(VERBS, words.verb)
    ? VERBS[words.verb]
    : undefined;
  if (verb === undefined) {
    words.fail(`unknown verb "${words.verb}": ${["cluster", ...Object.keys(VERBS)].join(", ")}`);
  }
  const names = namesOf(verb);
  for (const name of words.named.keys()) {
    if (names.includes(name)) continue;
    words.fail(`${words.verb} takes no ${name}=${names.length > 0 ? `: ${names.join(", ")}` : ""}`);
  }
  const placesMax = placesOf(words.verb, verb);
  if (words.places.length > placesMax) {
    words.fail(`${words.verb} takes no "${words.places[placesMax]}": ${formOf(words.verb, verb)}`);
  }
}

/** How a verb is written. */
export function formOf(word: string, { form }: Verb): string {
  return form.replace(/^VERB/, word);
}

/** How many words without a name a verb takes. */
function placesOf(word: string, verb: Verb): number {
  const form = formOf(word, verb).slice(word.length);
  if (/…/.test(form.replace(/[a-z_-]+=\S*/g, "")) && !form.includes("FACT")) return Infinity;
  return form.split(" ").filter((part) => part !== "" && !/=|FACT/.test(part)).length;
}

function runUntil(stage: Stage, words: Words): void {
  const ms = words.duration("within", PATIENCE_MS);
  contradiction(stage, words); // Says what is wrong with the words before time passes.
  if (stage.world.runUntil(() => contradiction(stage, words) === undefined, ms)) return;
  unmet(words, contradiction(stage, words));
}

function unmet(words: Words, found: string | undefined): void {
  if (found !== undefined) words.fail(found);
}
