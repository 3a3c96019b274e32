/**
 * What a report is made of: the recording, what the judge says of it, and what lies beside them. Plain data: whoever
 * has it can draw the same report again, byte for byte.
 */
import type { Judgement } from "../analysis/judgement.ts";
import type { Recording } from "../history/recording.ts";

/** See the top of this file. */
export interface ReportInput {
  /** Names the run: a run id, or the path of the history. */
  readonly title: string;
  readonly recording: Recording;
  readonly judgement: Judgement;
  /** Version line of the program that judged; the header of the recording names the one under test. */
  readonly judgedBy?: string;
  /** What the evidence is, the history among it. */
  readonly files?: readonly EvidenceFile[];
  /** Why the run is no evidence for a release: empty when it is, absent when nobody knows. */
  readonly gateEvidenceReason?: string;
  /** What ended the run before its end; absent when nothing did. */
  readonly brokenOffBy?: string;
  /** Settings of the run and of the judge, in the order in which they are shown. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Versions of what took part: programs, kernel, backend. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Lines of all sources; in any order, the page merges them by time. */
  readonly logs?: readonly LogLine[];
  /** How many lines there were if `logs` holds only a part of them. */
  readonly logLinesTotal?: number;
  /** A command line that does it all again. */
  readonly reproduce?: string;
  /** Bars that the timeline shows one by one; 5,000 unless told. The rest is shown as density. */
  readonly barsMax?: number;
}

/** A file that can be compared with what was judged. */
export interface EvidenceFile {
  /** Relative to the folder of the run. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** One line that somebody logged. */
export interface LogLine {
  /** Since the run began, on the clock of the recording; negative before. */
  readonly timeNs: number;
  /** `replica 1`, `nemesis`, `runner`: lines of one source can be hidden together. */
  readonly source: string;
  /** `info`, `warning`, `error`, ... */
  readonly level?: string;
  readonly text: string;
}

/** What a report consists of, as texts to be written to files. */
export interface Report {
  /** One page that needs nothing else: `report.html`. */
  readonly html: string;
  /** The same facts for programs: `report.json`. */
  readonly json: string;
  /** For terminals and mails: `summary.txt`. */
  readonly summary: string;
  /** For CI: `junit.xml`. */
  readonly junit: string;
  /** The plots as files of their own, by name without `.svg`. Empty if the recording has no times. */
  readonly svgs: Readonly<Record<string, string>>;
}
