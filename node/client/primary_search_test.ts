// Where a client turns to next decides how long an outage feels, and whether ten thousand clients make it worse.
import { assert, assertEquals } from "@std/assert";
import type { ClusterHello } from "../wire/cluster.ts";
import { parseAddress } from "./address.ts";
import { PrimarySearch } from "./primary_search.ts";

const SEEDS = ["localhost:1", "h:9"].map(parseAddress);

function cluster(replicaId: bigint, view: bigint, primary: bigint | undefined): ClusterHello {
  const members = [1n, 2n, 3n].map((id) => ({ replicaId: id, address: `10.0.0.${id}:${id}` }));
  return { replicaId, view, primary, members };
}

function texts(search: PrimarySearch, nowMs: number): string[] {
  return search.round(nowMs).map(({ text }) => text);
}

Deno.test("PrimarySearch: seeds in turn, from the one behind the last that answered", () => {
  const search = new PrimarySearch(SEEDS, 500);
  assertEquals(texts(search, 0), ["localhost:1", "h:9"]);
  search.greeted({ address: "localhost:1", cluster: undefined });
  assertEquals(texts(search, 0), ["h:9", "localhost:1"]);
  assertEquals(search.target(undefined, 0), undefined);
});

Deno.test("PrimarySearch: a replica goes by the address at which it answered, others by the one that is listed", () => {
  const search = new PrimarySearch(SEEDS, 500);
  search.greeted({ address: "localhost:1", cluster: cluster(1n, 3n, 1n) });
  assertEquals(
    new Set(texts(search, 0)),
    new Set(["localhost:1", "h:9", "10.0.0.2:2", "10.0.0.3:3"]),
  );
  assertEquals(search.target(2n, 1e6)?.text, "localhost:1");
  search.failed("localhost:1", 0);
  assertEquals(search.target(2n, 1e6)?.text, "10.0.0.1:1", "it may be there and not at the seed");
  assertEquals(texts(search, 0).filter((text) => text === "10.0.0.1:1").length, 1);
  search.greeted({ address: "10.0.0.1:1", cluster: cluster(1n, 3n, 1n) });
  assertEquals(search.target(2n, 1e6)?.text, "10.0.0.1:1");
});

Deno.test("PrimarySearch: the primary comes first, at once for a newer view, for the same one after a pause", () => {
  const search = new PrimarySearch(SEEDS, 500);
  search.greeted({ address: "h:9", cluster: cluster(1n, 3n, 3n) });
  assertEquals(texts(search, 1_000)[0], "10.0.0.3:3");
  assertEquals(search.target(1n, 1_000), undefined, "it was tried just now");
  search.heard({ view: 3n, primary: 3n });
  search.heard({ view: 2n, primary: 2n });
  assertEquals(search.target(1n, 1_000), undefined, "no news");
  assertEquals(search.target(1n, 1_021)?.text, "10.0.0.3:3");
  search.heard({ view: 4n, primary: 2n });
  assertEquals(search.target(1n, 1_000)?.text, "10.0.0.2:2");
  assertEquals(search.target(2n, 1_000), undefined, "nobody is sent to where he is");
  search.failed("10.0.0.2:2", 1_000);
  assertEquals(search.target(1n, 1_000), undefined, "it has just failed");
  search.heard({ view: 5n, primary: undefined });
  assertEquals(search.target(1n, 9_000), undefined, "the last word is that there is none");
  search.heard({ view: 5n, primary: 1n });
  assertEquals(search.target(3n, 1_000)?.text, "h:9");
});

Deno.test("PrimarySearch: pauses are an eighth of the search, at least 20 ms, within bounds, and end with it", () => {
  const search = new PrimarySearch(SEEDS, 500);
  const within = (nowMs: number, ms: number): void => {
    for (let i = 0; i < 50; i++) {
      const pause = search.pauseMs(nowMs);
      assert(pause >= ms / 2 && pause <= ms, `${pause} at ${nowMs}`);
    }
  };
  within(0, 20);
  search.disappointed(1_000);
  within(1_000, 20);
  within(1_800, 100);
  search.failed("h:9", 2_000);
  within(3_000, 250);
  within(60_000, 500);
  search.settled();
  within(60_000, 20);
});

Deno.test("PrimarySearch: a member whose address is none does not hide the others", () => {
  const search = new PrimarySearch(SEEDS.slice(1), 500);
  const { members, ...rest } = cluster(1n, 3n, 2n);
  const odd = [{ replicaId: 3n, address: "no address" }, members[1]!, {
    replicaId: 1n,
    address: "h:9",
  }];
  search.greeted({ address: "h:9", cluster: { ...rest, members: odd } });
  assertEquals(texts(search, 0), ["10.0.0.2:2", "h:9"]);
});
