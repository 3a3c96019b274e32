/** Verbs of the network: single messages, links, partitions. */
import {
  type HeldMessage,
  isMeant,
  MESSAGE_KINDS,
  type MessageFate,
  type MessageFilter,
} from "./held.ts";
import { showHeld } from "./pictures.ts";
import type { Stage } from "./stage.ts";
import type { Verb, Verbs } from "./verb.ts";
import type { Words } from "./words.ts";

/** See the top of this file. */
export const MESSAGE_VERBS: Verbs = {
  hold: rule("hold", "from now on such messages are kept back, each under a label"),
  lose: rule("lose", "from now on such messages are lost"),
  copy: rule("copy", "from now on a copy of such messages is kept, for later"),
  held: {
    form: "held",
    says: "lists what is kept, with labels",
    run: (stage) => showHeld(stage).forEach((line) => stage.say(line)),
  },
  deliver: {
    form: "deliver [LABEL…] [kind=KIND,…] [from=R,…] [to=R,…] [times=N]",
    says: "lets messages arrive now, in the order of the labels, or else as they were sent",
    run: deliver,
  },
  drop: {
    form: "drop [LABEL…] [kind=KIND,…] [from=R,…] [to=R,…]",
    says: "loses what is kept",
    run: (stage, words) => void takeOut(stage, words),
  },
  pass: {
    form: "pass",
    says: "ends `hold`, `lose` and `copy`; what is held stays held",
    run: ({ held }) => held.endRules(),
  },
  cut: {
    form: "cut R>R …",
    says: "nothing passes from one replica to another",
    run: cut,
  },
  partition: {
    form: "partition R,R | R …",
    says: "nothing passes between these groups, whatever passed before",
    run: partition,
  },
  heal: {
    form: "heal",
    says: "cuts and partitions are over",
    run: ({ world }) => world.network.heal(),
  },
};

function rule(fate: MessageFate, says: string): Verb {
  return {
    form: "VERB [kind=KIND,…] [from=R,…] [to=R,…]",
    says,
    run: (stage, words) => stage.held.rule(fate, filterOf(words)),
  };
}

function filterOf(words: Words): MessageFilter {
  const kinds = words.named.get("kind")?.split(",").map((word) => {
    const kind = MESSAGE_KINDS.find((known) => known === word);
    return kind ?? words.fail(`"${word}" is none of ${MESSAGE_KINDS.join(", ")}`);
  });
  return { kinds, from: words.replicas("from"), to: words.replicas("to") };
}

function deliver(stage: Stage, words: Words): void {
  const times = Number(words.number("times", 1n));
  for (const message of takeOut(stage, words)) {
    const obstacle = stage.held.obstacle(message);
    if (obstacle !== undefined) stage.say(`${message.label} is lost: ${obstacle}`);
    else for (let left = times; left > 0; left--) stage.held.deliver(message);
  }
}

/** Takes what a command means out of what is held; a label that is none is a mistake. */
function takeOut({ held }: Stage, words: Words): HeldMessage[] {
  if (words.places.length > 0) {
    return words.places.flatMap((label) => {
      const found = held.takeOut((message) => message.label === label);
      return found.length > 0 ? found : words.fail(`no ${label} is held`);
    });
  }
  const filter = filterOf(words);
  return held.takeOut(({ kind, from, to }) => isMeant(filter, kind, from, to));
}

function cut({ world }: Stage, words: Words): void {
  if (words.places.length === 0) words.fail("cut wants R>R");
  for (const way of words.places) {
    const [, from, to] = /^(\d+)>(\d+)$/.exec(way) ?? words.fail(`"${way}" is not R>R`);
    if (from === to || ![from, to].every((id) => world.members.includes(BigInt(id!)))) {
      words.fail(`there is no way ${way}`);
    }
    world.network.cut(BigInt(from!), BigInt(to!));
  }
}

function partition({ world }: Stage, words: Words): void {
  const groups = words.places.join(" ").split("|").map((group) =>
    membersOf(world.members, words, group)
  );
  if (groups.length < 2) words.fail("partition wants groups apart, as in 1 | 2,3");
  if (groups.flat().length !== world.members.length) words.fail("every replica is in one group");
  world.network.heal();
  for (const group of groups) world.network.partition(group);
}

function membersOf(members: readonly bigint[], words: Words, group: string): bigint[] {
  return group.trim().split(/[ ,]+/).map((word) => {
    const found = members.find((id) => `${id}` === word);
    return found ?? words.fail(`"${word}" is no replica`);
  });
}
