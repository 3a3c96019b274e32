/**
 * A process that loads an etcd: N clients with one transaction each under way, on K shared connections. A
 * transaction is what a reservation is there: `If version(key) = 0 Then Put(key, value, lease)` on a key that
 * nobody had before. The leases are granted in advance and shared, as those of sessions are. Prints one JSON
 * object, like load_generator.ts.
 *
 *   deno run --allow-all bench/etcd_load.ts --address 127.0.0.1:2379 --clients 64 --connections 4 --seconds 5
 */
import { Times } from "../node/bench/recorder.ts";
import {
  ClaimTemplate,
  hasSucceeded,
  LEASE_GRANT,
  leaseGrant,
  readLeaseId,
  TXN,
} from "./cluster/etcd_messages.ts";
import { type CallSink, GrpcChannel } from "./cluster/http2.ts";
import { cpuSeconds, parseFlags } from "./load_flags.ts";

const DEFAULTS = {
  "address": "127.0.0.1:2379",
  "clients": "1",
  "connections": "1",
  "seconds": "5",
  "warmup-seconds": "1",
  "leases": "64",
  "lease-seconds": "600",
  /** Processes whose CPU time is reported too, separated by commas; 0 is none. */
  "server-pid": "0",
};

type Flags = typeof DEFAULTS;

/** What came back. */
class Count {
  times = new Times();
  ok = 0;
  taken = 0;
  failed = 0;
}

/** Of so many runs on one etcd, hardly two choose the same keys; and no run gets through its own. */
const RUNS = 1e7;
const KEYS_PER_RUN = 1e8;

/** Numbers of keys, shared by everything in the process. */
class Keys {
  #next = (crypto.getRandomValues(new Uint32Array(1))[0]! % RUNS) * KEYS_PER_RUN;
  next(): number {
    return this.#next++;
  }
}

/** The clients of one connection: each answer makes room for the next transaction. */
class Clients implements CallSink {
  readonly #channel: GrpcChannel;
  readonly #claims: readonly ClaimTemplate[];
  readonly #keys: Keys;
  /** When the calls under way were sent, by stream. */
  readonly #sentMs = new Map<number, number>();
  readonly #hasSucceeded = new Map<number, boolean>();
  #count = new Count();
  #isOver: () => boolean = () => true;

  constructor(channel: GrpcChannel, leases: readonly Uint8Array[], keys: Keys) {
    this.#channel = channel;
    this.#claims = leases.map((lease) => new ClaimTemplate(lease));
    this.#keys = keys;
  }

  answered(stream: number, message: Uint8Array): void {
    this.#hasSucceeded.set(stream, hasSucceeded(message));
  }

  ended(stream: number): void {
    const count = this.#count;
    count.times.add(performance.now() - this.#sentMs.get(stream)!);
    const result = this.#hasSucceeded.get(stream);
    if (result === undefined) count.failed++;
    else if (result) count.ok++;
    else count.taken++;
    this.#hasSucceeded.delete(stream);
    this.#sentMs.delete(stream);
    if (!this.#isOver()) this.#send();
  }

  #send(): void {
    const key = this.#keys.next();
    const sentMs = performance.now();
    const stream = this.#channel.call(this.#claims[key % this.#claims.length]!.claim(key));
    this.#sentMs.set(stream, sentMs);
  }

  async run(clients: number, count: Count, isOver: () => boolean): Promise<void> {
    this.#count = count;
    this.#isOver = isOver;
    for (let i = 0; i < clients; i++) this.#send();
    this.#channel.flush();
    while (this.#sentMs.size > 0) {
      await this.#channel.receive(this);
      this.#channel.flush();
    }
  }

  close(): void {
    this.#channel.close();
  }
}

async function grantLeases(flags: Flags): Promise<Uint8Array[]> {
  const channel = await GrpcChannel.connect(flags.address, LEASE_GRANT);
  const leases: Uint8Array[] = [];
  let ended = 0;
  const wanted = Number(flags.leases);
  const sink = {
    answered: (_: number, message: Uint8Array) => void leases.push(readLeaseId(message)),
    ended: () => void ended++,
  };
  for (let i = 0; i < wanted; i++) channel.call(leaseGrant(Number(flags["lease-seconds"])));
  channel.flush();
  while (ended < wanted) await channel.receive(sink);
  channel.close();
  if (leases.length < wanted) throw new Error("etcd granted no lease");
  return leases;
}

/** How many of the clients a connection has. */
function share(clients: number, connections: number, index: number): number {
  return Math.floor(clients / connections) + (index < clients % connections ? 1 : 0);
}

async function loop(
  all: readonly Clients[],
  clients: number,
  seconds: number,
): Promise<[Count, number]> {
  const count = new Count();
  const startMs = performance.now();
  const isOver = (): boolean => performance.now() - startMs >= seconds * 1_000;
  await Promise.all(
    all.map((some, index) => some.run(share(clients, all.length, index), count, isOver)),
  );
  return [count, (performance.now() - startMs) / 1_000];
}

async function main(flags: Flags): Promise<void> {
  const clients = Number(flags.clients);
  const leases = await grantLeases(flags);
  const keys = new Keys();
  const connections = Math.min(clients, Number(flags.connections));
  const all = await Promise.all(
    Array.from(
      { length: connections },
      async () => new Clients(await GrpcChannel.connect(flags.address, TXN), leases, keys),
    ),
  );
  await loop(all, clients, Number(flags["warmup-seconds"]));
  const cpu = (): number[] => [cpuSeconds("self"), cpuSeconds(flags["server-pid"])];
  const before = cpu();
  const [count, seconds] = await loop(all, clients, Number(flags.seconds));
  const used = cpu().map((now, i) => Number((now - before[i]!).toFixed(2)));
  const commands = count.times.count;
  console.log(JSON.stringify({
    clients,
    connections,
    seconds: Number(seconds.toFixed(3)),
    commands,
    commands_per_second: Math.round(commands / seconds),
    latency_us: count.times.percentiles(),
    results: { ok: count.ok, taken: count.taken, failed: count.failed },
    generator_cpu_seconds: used[0],
    server_cpu_seconds: used[1],
  }));
  for (const some of all) some.close();
}

if (import.meta.main) await main(parseFlags(DEFAULTS, Deno.args));
