// Numbers against the system's own formatting and against sorting, facts about the machine against made-up
// mount tables, and what a run leaves behind on the disk: nothing.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import * as fc from "fast-check";
import { withDirectory } from "../../tests/support/bench.ts";
import { count, size, time, times } from "./format.ts";
import { fileSystemOf } from "./machine.ts";
import { Times } from "./recorder.ts";
import { Workspace } from "./workspace.ts";

Deno.test("Workspace removes what was lent and itself, also after a failure", async () => {
  await withDirectory(async (parent) => {
    let lent = "";
    {
      using workspace = new Workspace(parent);
      const lending = workspace.lend(async (directory) => {
        lent = directory;
        await Deno.writeTextFile(`${directory}/file`, "content");
        throw new TypeError("on purpose");
      });
      await assertRejects(() => lending, TypeError, "on purpose");
      assertThrows(() => Deno.statSync(lent), Deno.errors.NotFound);
      assertEquals([...Deno.readDirSync(workspace.path)], []);
    }
    assertEquals([...Deno.readDirSync(parent)], []);
  });
});

Deno.test("count() separates thousands as the system does", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), (value) => {
      assertEquals(count(value), Math.round(value).toLocaleString("en-US"));
    }),
    { seed: 1, examples: [[0], [999], [999.5], [1_000], [999_999.5]] },
  );
});

Deno.test("time(), size() and times() choose the unit that suits", () => {
  const shown = [0.4, 999.4, 1_000, 9_994, 10_000, 999_400, 1_000_000, 61_234_000].map(time);
  const wanted = ["0 µs", "999 µs", "1.00 ms", "9.99 ms", "10 ms", "999 ms", "1.0 s", "61.2 s"];
  assertEquals(shown, wanted);
  const sizes = [0, 1_023, 1_024, 1_048_576, 1_073_741_824].map(size);
  assertEquals(sizes, ["0 B", "1023 B", "1.0 KiB", "1.0 MiB", "1.0 GiB"]);
  assertEquals([1.23456, 9.99, 10, 123.45].map(times), ["1.23×", "9.99×", "10.0×", "123.5×"]);
});

Deno.test("Times agrees with sorting, to three digits, and never says more than the longest", () => {
  const milliseconds = fc.array(fc.double({ min: 0.001, max: 50_000, noNaN: true }), {
    minLength: 1,
    maxLength: 200,
  });
  fc.assert(
    fc.property(milliseconds, (values) => {
      const collected = new Times();
      for (const value of values) collected.add(value);
      const sorted = values.map((value) => Math.round(value * 1_000)).sort((a, b) => a - b);
      const { p50, p99, max } = collected.percentiles();
      for (const [percent, found] of [[50, p50], [99, p99], [100, max]] as const) {
        const exact = sorted[Math.ceil((percent / 100) * sorted.length) - 1]!;
        assert(Math.abs(found - exact) <= exact / 500 + 1, `${percent}: ${found}, not ${exact}`);
      }
      assert(p50 <= p99 && p99 <= max);
    }),
    { seed: 1 },
  );
  assertEquals(new Times().percentiles(), {
    p50: 0,
    p90: 0,
    p95: 0,
    p99: 0,
    p999: 0,
    max: 0,
    mean: 0,
  });
});

Deno.test("fileSystemOf() takes the deepest mount, and of several at one place the last", () => {
  const mountinfo = [
    "21 1 254:0 / / rw,relatime - ext4 /dev/root rw",
    "22 21 0:20 / /data rw - xfs /dev/a rw",
    "23 22 0:21 / /data/fast rw shared:1 master:2 - tmpfs none rw",
    "24 21 0:22 / /with\\040blank rw - btrfs /dev/b rw",
    "25 22 0:23 / /data rw - zfs pool rw",
    "",
  ].join("\n");
  const asked = ["/", "/database", "/data", "/data/x", "/data/fast/x", "/with blank/x", "/without"];
  const wanted = ["ext4", "ext4", "zfs", "zfs", "tmpfs", "btrfs", "ext4"];
  assertEquals(asked.map((path) => fileSystemOf(mountinfo, path)), wanted);
  assertEquals(fileSystemOf("", "/"), "unknown");
});
