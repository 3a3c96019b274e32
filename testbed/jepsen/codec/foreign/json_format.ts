/** Histories of Jepsen in JSON, as elle-cli reads them: operations as objects, one after another or in one array. */
import type { Format } from "../format.ts";
import { headText } from "../sniff.ts";
import { readerOf } from "./edn_format.ts";
import { ForeignHistory, type ForeignOptions } from "./foreign_history.ts";
import { JsonReader } from "./json_reader.ts";
import { ForeignWriter } from "./foreign_writer.ts";
import { JSON_NOTATION } from "./notation.ts";
import { readOperation } from "./operation.ts";

/** See the top of this file. */
export const JSON_HISTORY: Format = {
  name: "json",
  describe: "Jepsen's operations as JSON, in lines or in one array",
  skippedMax: Infinity,
  sniff: (head) => looksLikeJson(headText(head)),
  read: (sink, options: ForeignOptions) =>
    readerOf(sink, (ordered) => {
      const history = new ForeignHistory(ordered, options, "json");
      const forms = new JsonReader((form, line) => history.add(readOperation(form, line, "json")));
      return { forms, history };
    }),
  write: () => new ForeignWriter(JSON_NOTATION),
};

/** An object whose first operation has the fields of one; lines of other formats are JSON too. */
function looksLikeJson(head: string): boolean {
  if (!/^\s*\[?\s*\{\s*"/.test(head)) return false;
  const first = head.slice(0, 2_000);
  return /"process"\s*:/.test(first) && /"f"\s*:/.test(first) && /"type"\s*:/.test(first);
}
