// The script of a timeline runs in a browser; here it runs over the few things of one that it uses, which count what
// it does: that it draws all there is, that keys and buttons move it, and that it never makes HTML of what it reads.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { SCRIPT } from "./page_script.ts";

const HOSTILE = "<img src=x onerror=alert(1)>";

const LIFE = {
  replicas: 3,
  endMs: 1_000,
  focusMs: 1_000,
  isFocused: false,
  violation: "R1 one primary in a view: replica 2",
  kinds: ["heartbeat", "prepare"],
  families: [6, 0],
  bands: [[1, 0, 400, "primary", "1", HOSTILE], [2, 0, 1_000, "backup", "1", ""], [
    3,
    0,
    900,
    "down",
    "",
    "crash",
  ]],
  pauses: [[2, 300, 500]],
  commits: [[1, 10, "1"], [1, 900, "7"]],
  messages: [[1, 2, 100, 101.5, 0, 1, `prepare ${HOSTILE}`], [1, 3, 200, 200, 1, 1, "lost"], [
    2,
    1,
    999,
    null,
    0,
    0,
    "late",
  ]],
  blows: [[50, 100, "power_failure"], [120, 500, "pause"]],
  asked: [["1001", 90, 130, "reserve", "ok at 1"], ["1002", 950, null, "confirm", "no answer yet"]],
};

type Listener = (event: Record<string, unknown>) => void;

/** Something of a page that remembers who listens and what it says. */
class Thing {
  textContent = "";
  hidden = true;
  checked = true;
  clientWidth = 900;
  width = 0;
  height = 0;
  readonly style: Record<string, string> = {};
  readonly dataset: Record<string, string>;
  readonly classList = { add: (): void => {}, remove: (): void => {} };
  readonly listeners = new Map<string, Listener>();
  readonly pen: Pen;

  constructor(pen: Pen, dataset: Record<string, string> = {}) {
    this.pen = pen;
    this.dataset = dataset;
  }

  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, listener);
  }

  tell(name: string, event: Record<string, unknown> = {}): void {
    this.listeners.get(name)!({ preventDefault: () => {}, target: this, ...event });
  }

  setPointerCapture(): void {}

  getContext(): object {
    return this.pen.context;
  }

  set innerHTML(_: string) {
    throw new Error("HTML is made of data");
  }
}

/** Counts what is drawn. */
class Pen {
  readonly calls = new Map<string, number>();
  texts: string[] = [];
  readonly context: object = new Proxy({}, {
    get: (_, name: string) => (...args: unknown[]) => {
      this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
      if (name === "fillText") this.texts.push(String(args[0]));
      for (const arg of args) if (typeof arg === "number") assert(!Number.isNaN(arg), name);
      return name === "measureText" ? { width: 6 * String(args[0]).length } : undefined;
    },
    set: () => true,
  });
}

interface Page {
  readonly pen: Pen;
  readonly thing: (id: string) => Thing;
  readonly boxes: readonly Thing[];
}

function open(life: object): Page {
  const pen = new Pen();
  const things = new Map<string, Thing>();
  const thing = (id: string): Thing => {
    if (!things.has(id)) things.set(id, new Thing(pen));
    return things.get(id)!;
  };
  thing("life").textContent = JSON.stringify(life);
  const boxes = [new Thing(pen, { kind: "0" }), new Thing(pen, { kind: "1" })];
  const document = {
    getElementById: thing,
    querySelectorAll: (selector: string) => selector === "input[data-kind]" ? boxes : [],
    documentElement: {},
  };
  const names = ["document", "window", "getComputedStyle", "matchMedia", "requestAnimationFrame"];
  const window = { devicePixelRatio: 1, addEventListener: () => {} };
  const style = () => ({ getPropertyValue: () => " #123456" });
  const run = Reflect.construct(Function, [...names, SCRIPT]);
  run(
    document,
    window,
    style,
    () => ({ addEventListener: () => {} }),
    (draw: () => void) => draw(),
  );
  return { pen, thing, boxes };
}

function press(page: Page, ...keys: readonly string[]): string {
  for (const key of keys) page.thing("picture").tell("keydown", { key });
  return page.thing("said").textContent;
}

Deno.test("the script draws bands, messages, faults and clients, and shows what needs it", () => {
  const { pen, thing } = open(LIFE);
  assertEquals(thing("needs").hidden, false);
  for (
    const text of ["replica 1", "replica 2 ✕", "replica 3", "clients", "faults", "✕ promise broken"]
  ) {
    assert(pen.texts.includes(text), `${text} in ${pen.texts}`);
  }
  press(open(LIFE), "f");
  assert(pen.calls.get("stroke")! > 5 && pen.calls.get("fillRect")! > 10);
});

Deno.test("keys walk through everything in the order of time and say what each thing is", () => {
  const page = open(LIFE);
  press(page, "f", "Escape", "n");
  for (let i = 0; i < 30; i++) press(page, "p");
  const told = [page.thing("said").textContent];
  for (let i = 0; i < 30; i++) told.push(press(page, "n"));
  const times = told.map((text) => parseFloat(text.replace(",", "")));
  assertEquals(times, [...times].sort((a, b) => a - b));
  for (
    const part of [
      HOSTILE,
      "LOST",
      "still on its way",
      "paused",
      "fault: power_failure",
      "ok at 1",
      "up to op 7",
    ]
  ) {
    assert(told.some((text) => text.includes(part)), part);
  }
  assertEquals(press(page, "Escape"), "");
});

Deno.test("kinds of messages can be hidden, and all that arrived", () => {
  const page = open(LIFE);
  const told = (): number => {
    press(page, "Escape", "f", "n");
    for (let i = 0; i < 30; i++) press(page, "p");
    const texts = new Set([page.thing("said").textContent]);
    for (let i = 0; i < 30; i++) texts.add(press(page, "n"));
    return [...texts].filter((text) => /to replica \d/.test(text)).length;
  };
  assertEquals(told(), 3);
  page.boxes[0]!.checked = false;
  page.boxes[0]!.tell("change");
  assertEquals(told(), 2);
  page.thing("lost").checked = true;
  page.thing("lost").tell("change");
  assertEquals(told(), 1);
});

Deno.test("the pointer finds what lies under it, moves and zooms", () => {
  const page = open(LIFE);
  press(page, "f");
  const canvas = page.thing("picture");
  canvas.tell("pointermove", { offsetX: 120, offsetY: 126 });
  assertMatch(page.thing("tip").textContent, /replica 1: primary, view 1/);
  assertEquals(page.thing("tip").hidden, false);
  canvas.tell("pointerdown", { offsetX: 120, offsetY: 126, pointerId: 1 });
  canvas.tell("pointerup", { offsetX: 120, offsetY: 126 });
  assertMatch(page.thing("said").textContent, /replica 1: primary/);
  canvas.tell("pointerdown", { offsetX: 500, offsetY: 126, pointerId: 1 });
  canvas.tell("pointermove", { offsetX: 200, offsetY: 126 });
  canvas.tell("pointerup", { offsetX: 200, offsetY: 126 });
  canvas.tell("wheel", { deltaX: 0, deltaY: -300, offsetX: 400 });
  canvas.tell("dblclick", { offsetX: 400 });
  for (const id of ["closer", "farther", "left", "right", "whole", "focus", "next", "previous"]) {
    page.thing(id).tell("click");
  }
  canvas.tell("pointerleave");
  assertEquals(page.thing("tip").hidden, true);
});

Deno.test("the script opens a life in which nothing happened", () => {
  const empty = {
    bands: [],
    pauses: [],
    commits: [],
    messages: [],
    blows: [],
    asked: [],
    kinds: [],
    families: [],
  };
  const page = open({ ...LIFE, ...empty, violation: null, endMs: 0, focusMs: 0 });
  press(page, "n", "p", "v", "f", "+", "-", "ArrowLeft", "ArrowRight", "Home", "End");
  assertEquals(page.thing("said").textContent, "");
});
