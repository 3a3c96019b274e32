/** Worked examples of every command, as `--help` shows them; a test runs each through the parser. */

/** One example. */
export interface Example {
  /** The command line, the program's name included. */
  readonly line: string;
  readonly says: string;
}

function example(line: string, says: string): Example {
  return { line, says };
}

/** By command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  create: [
    example("allocdb create seat:21A", "a resource by name"),
    example("allocdb create 101 --json", "by number, for a program"),
  ],
  reserve: [
    example("allocdb reserve seat:21A --holder alice --ttl 10m", "one seat for ten minutes"),
    example(
      "allocdb reserve seat:21A seat:21B --holder alice --ttl 90s -q",
      "both or none; prints only the reservation's id",
    ),
  ],
  confirm: [
    example("allocdb confirm 12 --holder alice --epoch 1", "keep what `reserve` gave"),
  ],
  release: [
    example("allocdb release 12 --holder alice --epoch 1", "give it back"),
  ],
  revoke: [
    example("allocdb revoke 12", "the holder loses the claim, the resource stays held"),
  ],
  reclaim: [
    example("allocdb reclaim 12", "free what a revoked reservation still holds"),
  ],
  get: [
    example("allocdb get seat:21A", "who holds a resource"),
    example(
      "allocdb get --reservation 12 --required-lsn 40",
      "a reservation, not older than position 40",
    ),
  ],
  serve: [
    example("allocdb serve --data ./data", `clients on 127.0.0.1:7100`),
    example(
      "allocdb serve --data ./data --http 7180 --profile small",
      "with curl and /metrics on port 7180, in a few MiB",
    ),
  ],
  status: [
    example("allocdb status", "one look"),
    example(
      "allocdb status --wait ready --timeout 30s",
      "for scripts: exit 9 when it takes longer",
    ),
    example("allocdb status --watch", "a look every second"),
  ],
  metrics: [
    example("allocdb metrics", "every figure"),
    example("allocdb metrics --list", "what they mean"),
  ],
  tick: [
    example("allocdb tick", "expire what is due now"),
    example("allocdb tick --slot 960 --json", "as of slot 960"),
  ],
  checkpoint: [
    example("allocdb checkpoint", "write a snapshot and shorten the log"),
  ],
  cluster: [
    example(
      "allocdb cluster start --workspace ws",
      "three replicas, ready when one of them is primary",
    ),
    example("allocdb cluster crash --workspace ws --replica-id 1", "kill one; the others go on"),
    example("allocdb cluster status --workspace ws", "every replica at a glance"),
  ],
  "cluster start": [
    example(
      "allocdb cluster start --workspace ws",
      "a new cluster, or whatever of it does not run",
    ),
    example(
      "allocdb cluster start --workspace ws --replicas 5 --profile small",
      "five replicas in a few MiB each",
    ),
  ],
  "cluster stop": [
    example("allocdb cluster stop --workspace ws", "finish what was taken, then stop"),
  ],
  "cluster restart": [
    example(
      "allocdb cluster restart --workspace ws --replica-id 1",
      "through recovery of what is on its disk",
    ),
  ],
  "cluster crash": [
    example("allocdb cluster crash --workspace ws --replica-id 1", "no warning, no last words"),
  ],
  "cluster pause": [
    example(
      "allocdb cluster pause --workspace ws --replica-id 1",
      "a primary that does not know it was replaced",
    ),
  ],
  "cluster resume": [
    example("allocdb cluster resume --workspace ws --replica-id 1", "it finds out"),
  ],
  "cluster isolate": [
    example(
      "allocdb cluster isolate --workspace ws --replica-id 2",
      "no peers, no clients; control still works",
    ),
  ],
  "cluster heal": [
    example("allocdb cluster heal --workspace ws --replica-id 2", "back among its peers"),
    example("allocdb cluster heal --workspace ws --all", "nothing is wrong on purpose any more"),
  ],
  "cluster partition": [
    example("allocdb cluster partition --workspace ws --groups 1,2/3", "replica 3 on its own"),
    example("allocdb cluster partition --workspace ws --clear", "together again"),
  ],
  "cluster link": [
    example(
      "allocdb cluster link --workspace ws --from 1 --to 2 --cut",
      "1 hears 2, and 2 does not hear 1",
    ),
    example(
      "allocdb cluster link --workspace ws --from all --to all --delay 50±20 --drop 0.01",
      "a bad network everywhere",
    ),
    example("allocdb cluster link --workspace ws --clear", "every link is good again"),
  ],
  "cluster disk-fault": [
    example(
      "allocdb cluster disk-fault --workspace ws --replica-id 3 --kind fsync-failure --after 100",
      "the 101st sync fails",
    ),
    example(
      "allocdb cluster disk-fault --workspace ws --replica-id 3 --kind slow --delay-ms 50 --for 10",
      "slow for ten seconds",
    ),
  ],
  "cluster clock": [
    example(
      "allocdb cluster clock --workspace ws --replica-id 1 --skew-ms -2000",
      "two seconds behind",
    ),
    example("allocdb cluster clock --workspace ws --replica-id 1 --rate 1.5", "half as fast again"),
  ],
  "cluster status": [
    example("allocdb cluster status --workspace ws", "as lines of key=value"),
    example("allocdb cluster status --workspace ws --json", "as one document"),
  ],
  "cluster timeline": [
    example("allocdb cluster timeline --workspace ws", "every verb, with how it ended"),
  ],
  "cluster logs": [
    example("allocdb cluster logs --workspace ws --lines 5", "the last five lines of each replica"),
    example("allocdb cluster logs --workspace ws --replica-id 1 --follow", "one replica, live"),
  ],
  replica: [
    example("allocdb replica status --workspace ws --replica-id 1", "how the first replica does"),
    example("allocdb replica inspect ws/replica-1", "what is in its files, once it has stopped"),
  ],
  "replica run": [
    example(
      "allocdb replica run --layout ws/cluster-layout.txt --replica-id 1",
      "in the foreground, as `allocdb cluster start` does in the background",
    ),
  ],
  "replica status": [
    example("allocdb replica status --addr 127.0.0.1:17000", "everything it says about itself"),
    example(
      "allocdb replica status --addr 127.0.0.1:17000 --require writable -q",
      "for probes: exit 4 unless it takes writes",
    ),
  ],
  "replica inspect": [
    example("allocdb replica inspect ws/replica-1", "metadata, snapshots, segments, damage"),
  ],
  "replica verify": [
    example("allocdb replica verify ws/replica-1", "every byte, and the state that it leads to"),
    example(
      "allocdb replica verify ws/replica-1 --against ws/replica-2",
      "exit 3 when the two hold different histories",
    ),
  ],
  "replica export": [
    example("allocdb replica export ws/replica-1 --to replica-1.tar", "a copy with checksums"),
  ],
  "replica import": [
    example("allocdb replica import replica-1.tar --to ws/replica-1", "the copy as a directory"),
  ],
  secret: [
    example("allocdb secret create --out keys/cluster.secret", "a new cluster's secret"),
    example(
      "allocdb secret derive --role client --from keys/cluster.secret --out keys/shop.key",
      "all that a shop's servers need",
    ),
  ],
  "secret create": [
    example("allocdb secret create --out keys/cluster.secret", "mode 0600, never overwritten"),
  ],
  "secret derive": [
    example(
      "allocdb secret derive --role reader --from keys/cluster.secret --out keys/monitor.key",
      "for a monitor: reads, metrics, status",
    ),
  ],
  tls: [
    example("allocdb tls create-ca --out keys", "an authority of your own"),
    example(
      "allocdb tls create-cert db-1 --ca keys --hosts db-1.example,10.0.0.1 --out keys",
      "a certificate for one node",
    ),
  ],
  "tls create-ca": [
    example("allocdb tls create-ca --out keys --days 730", "keys/ca.pem and keys/ca-key.pem"),
  ],
  "tls create-cert": [
    example(
      "allocdb tls create-cert local --ca keys --hosts localhost,127.0.0.1 --out keys",
      "keys/local.pem and keys/local-key.pem",
    ),
  ],
  sim: [
    example("allocdb sim", "a hundred lives, each with its own troubles"),
    example("allocdb sim --seeds 5000 --from 1000 --jobs 2", "many, on two processors"),
    example("allocdb sim --until-failure --minutes 30", "whatever half an hour finds"),
    example(
      "allocdb sim --seed 42 --trace life.txt --html life.html",
      "one life, to read and to see",
    ),
    example("allocdb sim --replay sim-failure-42.json", "what went wrong, once more"),
    example("allocdb sim --script failover.txt", "a hard case, message by message"),
  ],
  jepsen: [
    example(
      "allocdb jepsen run --run-id reservation_contention-control",
      "a minute without faults",
    ),
    example(
      "allocdb jepsen run --workload lease_safety --nemesis storm --window 5m",
      "a run of your own",
    ),
    example("allocdb jepsen analyze history.edn", "what Jepsen recorded of another system"),
  ],
  "jepsen plan": [example("allocdb jepsen plan --json", "the matrix, for a program")],
  "jepsen run": [
    example(
      "allocdb jepsen run --run-id ambiguous_write_retry-crash-restart",
      "half an hour of kills",
    ),
    example("allocdb jepsen run --all --lanes 3", "the whole gate, three clusters at a time"),
    example(
      "allocdb jepsen run --workload lease_safety --nemesis storm --window 5m --seed 7",
      "a run of your own",
    ),
  ],
  "jepsen archive": [
    example(
      "allocdb jepsen archive --workspace ws --run-id lease_safety-control --history-file history.cbor",
      "a bundle of what there is",
    ),
  ],
  "jepsen analyze": [
    example("allocdb jepsen analyze history.cbor", "one line, and why if it is not valid"),
    example("allocdb jepsen analyze --model cas-register *.log", "histories of other systems"),
    example("allocdb jepsen analyze history.txt --report out", "a page to look into"),
    example("allocdb jepsen analyze --history-file history.txt", "what the release gate says"),
  ],
  "jepsen convert": [
    example("allocdb jepsen convert history.cbor history.jsonl", "for other tools"),
    example("allocdb jepsen convert history.cbor history.txt --to runbook", "for the runbook"),
  ],
  "jepsen verify": [
    example("allocdb jepsen verify .artifacts/lease_safety-control-1790000000000", "a bundle"),
    example("allocdb jepsen verify --workspace ws", "whether a cluster answers"),
    example(
      "allocdb jepsen verify --certificate proof.json --history-file history.cbor",
      "a proof, without searching",
    ),
  ],
  "jepsen watch": [
    example("allocdb jepsen watch --follow", "the run that goes on"),
    example(
      "allocdb jepsen watch --lane a,ws/a,out/a --lane b,ws/b,out/b --follow",
      "two clusters in one view",
    ),
  ],
  "jepsen compare": [
    example("allocdb jepsen compare .artifacts/a .artifacts/b --out ab.html", "before and after"),
  ],
  "jepsen serve": [example("allocdb jepsen serve .artifacts", "bundles to click through")],
  demo: [
    example("allocdb demo", "watch it, in a terminal with 30 lines"),
    example("allocdb demo --fast --seed 7 --json", "the same sale as a test"),
  ],
  bench: [
    example("allocdb bench", "every scenario"),
    example("allocdb bench --scenario latency --json", "one of them, for a program"),
  ],
  completion: [
    example("allocdb completion bash > ~/.local/share/bash-completion/completions/allocdb", "bash"),
    example("allocdb completion fish | source", "fish, this session"),
  ],
  version: [example("allocdb version --json", "what this build is")],
  help: [
    example("allocdb help reserve", "a command"),
    example("allocdb help E_RESOURCE_BUSY", "an error code"),
    example("allocdb help topics", "everything else"),
  ],
};
