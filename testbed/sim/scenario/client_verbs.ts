/** Verbs of clients: commands, retries, strict reads. */
import {
  bundle,
  confirm,
  create,
  HOLDER,
  reclaim,
  release,
  reserve,
  revoke,
} from "../workload/requests.ts";
import type { Request } from "../workload/plain.ts";
import { askAbout, readText } from "./asking.ts";
import type { Stage } from "./stage.ts";
import type { Verbs } from "./verb.ts";
import type { Words } from "./words.ts";

/** How long an answer is waited for that nothing is in the way of. */
const READ_MS = 20;
/** What every command of a client takes: whom to ask, its own name, and whose operation id to use. */
const ASKING = ["to", "as", "id-of"];
const FILL_MAX = 500;
/** Exists after the first time. */
const FILL_RESOURCE = 1_000n;
/** Nothing that a script reserves runs out unless it says so. */
const TTL_SLOTS = 16_000n;

/** See the top of this file. */
export const CLIENT_VERBS: Verbs = {
  create: {
    form: "create resource=ID",
    names: ASKING,
    says: "a client wants a resource to exist",
    run: (stage, words) => stage.submit(words, create(words.number("resource"))),
  },
  reserve: {
    form: "reserve resource=ID [ttl=SLOTS] [holder=ID]",
    names: ASKING,
    says: "a client wants to hold it; a slot is 10 ms",
    run: (stage, words) => {
      const { ttl, holder } = terms(words);
      stage.submit(words, reserve(words.number("resource"), ttl, holder));
    },
  },
  bundle: {
    form: "bundle resources=ID,ID [ttl=SLOTS] [holder=ID]",
    names: ASKING,
    says: "reserves several resources as one, in this order",
    run: (stage, words) => {
      const { ttl, holder } = terms(words);
      stage.submit(words, bundle(words.numbers("resources"), ttl, holder));
    },
  },
  confirm: held("makes the reservation that operation `of=` made last", confirm),
  release: held("gives it back", release),
  revoke: of("takes it away from its holder, who may still be using it", revoke),
  reclaim: of("makes what was revoked free again", reclaim),
  fill: {
    form: "fill N",
    says: "commands that change nothing, one after the other, until the log is N entries longer",
    run: fill,
  },
  retry: {
    form: "retry NAME [to=R]",
    says: "asks again under the same operation id",
    run: (stage, words) => {
      stage.attempt(stage.asked(words, words.place(0, "an operation")), stage.addressee(words));
    },
  },
  read: {
    form: "read [resource=ID] [reservation=NAME] at=R [fence=LSN]",
    says:
      "reads strictly at a replica: nothing older than `fence=`, nothing that may be out of date",
    run: read,
  },
};

function fill(stage: Stage, words: Words): void {
  const count = Number(words.place(0, "a number of entries"));
  if (!Number.isInteger(count) || count < 1 || count > FILL_MAX) {
    words.fail(`fill wants a number up to ${FILL_MAX}`);
  }
  for (let left = count; left > 0; left--) {
    if (!stage.fill(create(FILL_RESOURCE))) words.fail(`nobody answers, with ${left} left`);
  }
}

function terms(words: Words): { readonly ttl: bigint; readonly holder: bigint } {
  return { ttl: words.number("ttl", TTL_SLOTS), holder: words.number("holder", HOLDER) };
}

/** A verb of a reservation's holder. */
function held(
  says: string,
  request: (id: bigint, epoch: bigint, holder: bigint) => Request,
): Verbs[string] {
  return {
    form: "VERB of=NAME [epoch=N] [holder=ID]",
    names: ASKING,
    says,
    run: (stage, words) => {
      const { id, epoch } = stage.reservation(words, words.value("of"));
      const { holder } = terms(words);
      stage.submit(words, request(id, words.number("epoch", epoch), holder));
    },
  };
}

/** A verb of whoever owns the resources. */
function of(says: string, request: (id: bigint) => Request): Verbs[string] {
  return {
    form: "VERB of=NAME",
    names: ASKING,
    says,
    run: (stage, words) =>
      stage.submit(words, request(stage.reservation(words, words.value("of")).id)),
  };
}

function read(stage: Stage, words: Words): void {
  const name = words.named.get("reservation");
  const resourceId = name === undefined ? words.number("resource") : undefined;
  const reservationId = name === undefined ? undefined : stage.reservation(words, name).id;
  const requiredLsn = words.number("fence", 0n);
  const machine = stage.machine(words, "at");
  const what = name === undefined ? `resource ${resourceId}` : `reservation ${name}`;
  const heard = { isOver: false };
  askAbout(stage.world, { resourceId, reservationId, requiredLsn }, machine, (result) => {
    heard.isOver = true;
    const text = readText(result, (id) => stage.nameOfReservation(id));
    stage.say(`${what} at ${machine.id}: ${text}`);
  });
  if (stage.world.runUntil(() => heard.isOver, READ_MS)) return;
  stage.say(`${what} at ${machine.id}: no answer yet`);
}
