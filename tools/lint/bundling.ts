// Lint rule for what the bundler changes: in the shipped program a module has no file of its own,
// so where it lies says nothing. `import.meta.main` is fine, the bundler knows it.
import { fromFileUrl } from "@std/path";

const ROOT = fromFileUrl(new URL("../..", import.meta.url));
const NOT_SHIPPED = ["tests/", "tools/", "bench/", "std/"];

function isShipped(path: string): boolean {
  const relative = path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
  return !NOT_SHIPPED.some((folder) => relative.startsWith(folder)) &&
    !relative.endsWith("_test.ts");
}

const noModulePath: Deno.lint.Rule = {
  create(context) {
    if (!isShipped(context.filename)) return {};
    return {
      "MemberExpression[object.type='MetaProperty']"(node: Deno.lint.MemberExpression): void {
        if (node.property.type === "Identifier" && node.property.name === "main") return;
        context.report({
          node,
          message: "The place of a module is lost when it is bundled",
          hint: "Import the data with an import attribute, or take a path as an argument",
        });
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "ship",
  rules: { "no-module-path": noModulePath },
} satisfies Deno.lint.Plugin;
export default plugin;
