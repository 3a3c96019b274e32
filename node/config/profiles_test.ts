// A profile that cannot run would be found by whoever tries the product first.
import { assert, assertEquals } from "@std/assert";
import { checkCoreConfig, checkEngineConfig, tableBytes } from "../../core/config.ts";
import { profileNamed, PROFILES } from "./profiles.ts";

const MIB = 1024 * 1024;

Deno.test("PROFILES can all run and take the memory they promise", () => {
  for (const { core, engine } of Object.values(PROFILES)) {
    assertEquals([checkCoreConfig(core), checkEngineConfig(engine)], [undefined, undefined]);
    assert(core.maxBundleSize >= 4);
  }
  assert(tableBytes(PROFILES.small.core) < 4 * MIB);
  assert(tableBytes(PROFILES.local.core) < 4 * MIB);
  assert(tableBytes(PROFILES.default.core) < 600 * MIB);
});

Deno.test("profileNamed() finds each profile and helps with any other name", () => {
  for (const [name, config] of Object.entries(PROFILES)) {
    assertEquals(profileNamed(name), { kind: "found", name: name as "small", config });
  }
  const messages = {
    "smal": '"smal" is not a profile; did you mean small?',
    "huge": '"huge" is not a profile; there are default, small, local',
    "toString": '"toString" is not a profile; there are default, small, local',
    "": '"" is not a profile; there are default, small, local',
  };
  for (const [name, message] of Object.entries(messages)) {
    assertEquals(profileNamed(name), { kind: "unknown_profile", message });
  }
});
