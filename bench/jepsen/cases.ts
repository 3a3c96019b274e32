/** What the command is measured on, and what it has to reach. */
import type { FormatName } from "../../testbed/jepsen/codec/format.ts";
import type { HistorySize } from "../analysis/history.ts";
import { hopelessHistory, withThinAir } from "../analysis/wrong_histories.ts";
import { etcdLogs, keyedTexts, stressLogs } from "./foreign_files.ts";
import { sizedHistory, writeHistory } from "./history_files.ts";

/** One command line. */
export interface Case {
  readonly name: string;
  readonly about: string;
  /** Of the whole command. */
  readonly targetSeconds: number;
  readonly targetMegabytes?: number;
  /** Exit code that says what is right. */
  readonly code: number;
  /** Words after `jepsen analyze` besides the files. */
  readonly flags?: readonly string[];
  /** Peers that judge the same files are timed on them. */
  readonly isForeign?: boolean;
  /** Whether the largest page of a report counts, in bytes. */
  readonly pageBytesMax?: number;
  /** Makes the files. */
  make(place: Place): Promise<readonly string[]>;
}

/** Where files come from and go to. */
export interface Place {
  /** Empty, for this case alone. */
  readonly directory: string;
  /** Test data of the peer, where it is there. */
  readonly peerData: string | undefined;
}

const [VALID, INVALID, UNKNOWN] = [0, 3, 6];
const REGISTER = ["--model", "cas-register", "--failed-ops", "check"];
const WIDE = { operations: 100_000, resources: 2_000, clients: 64, lostOneIn: 200 };
const HUGE = { operations: 1_000_000, resources: 20_000, clients: 16, lostOneIn: 200 };
const HOT = { resources: 1, clients: 16, lostOneIn: 200, isDetailed: false };

/** In the order of the table. */
export const CASES: readonly Case[] = [
  {
    ...{ name: "start", about: "a history of one operation", targetSeconds: 0.25, code: VALID },
    make: (place) => made(place, "jsonl", { ...HOT, operations: 1, clients: 1 }),
  },
  {
    ...{ name: "etcd", about: "P1: 102 logs of etcd", targetSeconds: 1, code: INVALID },
    ...{ flags: REGISTER, isForeign: true },
    make: ({ peerData, directory }) => etcdLogs(peerData, directory),
  },
  {
    ...{ name: "stress", about: "P3: 100 like memstress", targetSeconds: 1.5, code: VALID },
    ...{ flags: REGISTER, isForeign: true },
    make: ({ directory }) => stressLogs(directory),
  },
  {
    ...{ name: "texts", about: "P4: texts under keys", targetSeconds: 1, code: INVALID },
    ...{ flags: ["--model", "kv"], isForeign: true },
    make: ({ peerData }) => Promise.resolve(keyedTexts(peerData)),
  },
  wide("wide", "P5: 100,000 on 2,000 resources", 4, "jsonl", { ...WIDE, isDetailed: false }),
  wide("wide-lsns", "P5: the same with lsns", 2.5, "jsonl", { ...WIDE, isDetailed: true }),
  {
    ...{ name: "thin-air", about: "P6: one value from nowhere", targetSeconds: 3, code: INVALID },
    targetMegabytes: 400,
    make: (place) => written(place, "jsonl", withThinAir(sizedHistory(DETAILED)), WIDE.resources),
  },
  ...[1_000, 2_000, 4_000].flatMap((operations) => [hot(operations, 200), hot(operations, 10)]),
  {
    ...{ name: "small", about: "P8: 400 small ones", targetSeconds: 1.5, code: VALID },
    make: makeSmall,
  },
  {
    ...wide("huge", "P9: 1,000,000 with lsns, CBOR", 30, "cbor", { ...HUGE, isDetailed: true }),
    targetMegabytes: 1_000,
  },
  {
    ...{ name: "hopeless", about: "P10: 30 unanswered, limit 5 s", targetSeconds: 5.5 },
    ...{ code: UNKNOWN, flags: ["--time-limit", "5s"] },
    make: (place) => written(place, "jsonl", hopelessHistory(), 1),
  },
  {
    ...wide("report", "P11: P5 and its report", 8, "jsonl", { ...WIDE, isDetailed: false }),
    ...{ pageBytesMax: 5_000_000 },
  },
];

const DETAILED: HistorySize = { ...WIDE, isDetailed: true };

function wide(
  name: string,
  about: string,
  targetSeconds: number,
  format: FormatName,
  size: HistorySize,
): Case {
  return {
    ...{ name, about, targetSeconds, targetMegabytes: 400, code: VALID },
    make: (place) => made(place, format, size),
  };
}

function hot(operations: number, lostOneIn: number): Case {
  const lost = lostOneIn === 10 ? ", one in 10 lost" : "";
  return {
    name: `hot-${operations}${lost === "" ? "" : "-lost"}`,
    about: `P7: ${operations} on one resource${lost}`,
    targetSeconds: operations === 1_000 ? 0.5 : operations === 2_000 ? 2 : 5,
    ...{ targetMegabytes: 500, code: VALID },
    make: (place) => made(place, "jsonl", { ...HOT, operations, lostOneIn }),
  };
}

async function makeSmall(place: Place): Promise<readonly string[]> {
  const paths: string[] = [];
  for (let seed = 1; seed <= 400; seed++) {
    const size = { resources: 2, clients: 4, lostOneIn: 8, isDetailed: false };
    const history = sizedHistory({ ...size, operations: 7 + seed % 40 }, seed);
    paths.push(...await written(place, "jsonl", history, 2, `${seed}`));
  }
  return paths;
}

function made(place: Place, format: FormatName, size: HistorySize): Promise<readonly string[]> {
  return written(place, format, sizedHistory(size), size.resources);
}

async function written(
  { directory }: Place,
  format: FormatName,
  history: Parameters<typeof writeHistory>[2],
  resources: number,
  name = "history",
): Promise<readonly string[]> {
  const path = `${directory}/${name}.${format}`;
  await writeHistory(path, format, history, resources);
  return [path];
}
