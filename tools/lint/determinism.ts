// Lint rules that keep the deterministic layers replayable: what runs there may depend on nothing
// but its arguments. They hold in core/, node/vsr/ and the simulator, and not in the tests beside the sources.
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const SIMULATED = ["disk", "judge", "life", "nemesis", "scenario", "single", "workload", "world"];
const DETERMINISTIC = [
  ...[
    "core/",
    "node/vsr/",
    "testbed/model/",
    "testbed/jepsen/analysis/",
    "testbed/jepsen/history/",
  ],
  ...SIMULATED.map((folder) => `testbed/sim/${folder}/`),
];

/** Whether the rules hold for this file: an absolute path, or one relative to the root. */
function isDeterministic(path: string): boolean {
  const relative = path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
  return DETERMINISTIC.some((layer) => relative.startsWith(layer)) &&
    !relative.endsWith("_test.ts");
}

type Visitor = Deno.lint.LintVisitor;

/** A rule that looks at deterministic files only. */
function rule(visitor: (context: Deno.lint.RuleContext) => Visitor): Deno.lint.Rule {
  return { create: (context) => isDeterministic(context.filename) ? visitor(context) : {} };
}

/** Whether an identifier is only the name of a member, as in `row.process` or `{ process: 1 }`. */
function isMemberName(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed;
    case "Property":
      return parent.key === node && !parent.computed && !parent.shorthand;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSEnumMember":
      return true;
    default:
      return false;
  }
}

/** Visits uses of the given global names, told apart by name alone: shadowing one is no way out. */
function onGlobals(
  context: Deno.lint.RuleContext,
  names: readonly string[],
  hint: string,
): Visitor {
  const banned = new Set(names);
  return {
    Identifier(node): void {
      if (!banned.has(node.name) || isMemberName(node)) return;
      context.report({ node, message: `\`${node.name}\` in a deterministic layer`, hint });
    },
  };
}

/** Reports `object.member` for each member that `isBanned`. */
function onMembers(
  context: Deno.lint.RuleContext,
  object: string,
  isBanned: (member: string) => boolean,
  hint: string,
): Visitor {
  return {
    [`MemberExpression[object.name="${object}"]`](node: Deno.lint.MemberExpression): void {
      const { property, computed } = node;
      const member = property.type === "Identifier" && !computed ? property.name : undefined;
      if (member !== undefined && !isBanned(member)) return;
      const message = `\`${object}.${member ?? "[…]"}\` in a deterministic layer`;
      context.report({ node, message, hint });
    },
  };
}

const noClock = rule((context) =>
  onGlobals(context, ["Date", "performance", "Temporal"], "Take the time as an argument, in slots")
);

/** Besides random numbers, these show when the garbage collector ran. */
const UNREPEATABLE = new Set(["crypto", "WeakRef", "FinalizationRegistry"]);

const noRandom = rule((context) => ({
  ...onMembers(context, "Math", (name) => name === "random", "Take a seeded generator"),
  Identifier(node): void {
    const { parent } = node;
    const isObject = parent.type === "MemberExpression" && parent.object === node;
    const isWholeMath = node.name === "Math" && !isObject;
    if (isMemberName(node) || !(isWholeMath || UNREPEATABLE.has(node.name))) return;
    const message = `\`${node.name}\` in a deterministic layer`;
    context.report({ node, message, hint: "Take what has to be random as an argument" });
  },
}));

const TIMERS = [
  ...["setTimeout", "setInterval", "setImmediate", "clearTimeout", "clearInterval"],
  ...["queueMicrotask", "MessageChannel", "BroadcastChannel"],
];
const noTimers = rule((context) =>
  onGlobals(context, TIMERS, "Let the driver call in again at a given slot")
);

/** `confirm`, a browser's dialog, is not listed: it is also the name of a command. */
const OUTSIDE = [
  ...["Deno", "process", "console", "navigator", "location", "fetch", "require", "Function"],
  ...["WebSocket", "EventSource", "Worker", "localStorage", "sessionStorage", "caches"],
  ...["globalThis", "self", "window", "alert", "prompt"],
];
const IO_HINT = "Return an effect and let the driver carry it out";

const noIo = rule((context) => {
  const checkSource = (node: Deno.lint.Node, source: Deno.lint.Node | null): void => {
    if (source === null) return;
    const specifier = source.type === "Literal" ? String(source.value) : "";
    if (specifier.startsWith("./") || specifier.startsWith("../")) return;
    const message = `Import of "${specifier}" in a deterministic layer`;
    context.report({ node, message, hint: "Import files of the same layer only" });
  };
  return {
    ...onGlobals(context, OUTSIDE, IO_HINT),
    ImportDeclaration: (node): void => checkSource(node, node.source),
    ExportAllDeclaration: (node): void => checkSource(node, node.source),
    ExportNamedDeclaration: (node): void => checkSource(node, node.source),
    ImportExpression(node): void {
      const message = "Dynamic import in a deterministic layer";
      context.report({ node, message, hint: "Import statically" });
    },
  };
});

const noAsync = rule((context) => {
  const report = (node: Deno.lint.Node): void => {
    const message = "Asynchronous code in a deterministic layer";
    context.report({
      node,
      message,
      hint: "Run one event to its end; the driver does the waiting",
    });
  };
  return {
    ...onGlobals(context, ["Promise"], "Return a value; the driver does the waiting"),
    "FunctionDeclaration[async=true]": report,
    "FunctionExpression[async=true]": report,
    "ArrowFunctionExpression[async=true]": report,
    "ForOfStatement[await=true]": report,
    AwaitExpression: report,
  };
});

/** Members of Math whose result the language fixes to the last bit. */
const EXACT_MATH = new Set([
  ...["abs", "ceil", "clz32", "floor", "fround", "imul", "max", "min", "random", "round", "sign"],
  ...["sqrt", "trunc"],
]);
const noInexactMath = rule((context) =>
  onMembers(context, "Math", (name) => !EXACT_MATH.has(name), "Engines may differ in the last bit")
);

const LOCALE_MEMBER =
  /^(localeCompare|toLocale(String|DateString|TimeString|UpperCase|LowerCase))$/;
const noLocale = rule((context) => ({
  ...onGlobals(context, ["Intl"], "Text that depends on the host's locale is made at the edges"),
  MemberExpression(node): void {
    if (node.property.type !== "Identifier" || !LOCALE_MEMBER.test(node.property.name)) return;
    const message = `\`${node.property.name}\` in a deterministic layer`;
    context.report({ node, message, hint: "It asks the host's locale; compare code units" });
  },
}));

const plugin: Deno.lint.Plugin = {
  name: "det",
  rules: {
    "no-clock": noClock,
    "no-random": noRandom,
    "no-timers": noTimers,
    "no-io": noIo,
    "no-async": noAsync,
    "no-inexact-math": noInexactMath,
    "no-locale": noLocale,
  },
} satisfies Deno.lint.Plugin;
export default plugin;
