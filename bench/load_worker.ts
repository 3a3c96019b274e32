/** A thread of the load generator: gets its share, says that it is ready, and begins when it is told. */
import { OpenShare, type Share, type ShareResult } from "./load_share.ts";

/** What it says. */
export type WorkerWord =
  | { readonly kind: "ready" | "measuring" }
  | { readonly kind: "done"; readonly result: ShareResult }
  | { readonly kind: "failed"; readonly message: string };

/** The side of a thread that a thread has; Deno's types know only the other. */
interface Thread {
  postMessage(word: WorkerWord): void;
  close(): void;
  onmessage: ((event: MessageEvent<Share | "go">) => void) | null;
}

const thread = self as unknown as Thread;
let opened: OpenShare | undefined;

async function take(word: Share | "go"): Promise<void> {
  if (word !== "go") {
    opened = await OpenShare.open(word);
    return thread.postMessage({ kind: "ready" });
  }
  const result = await opened!.run(() => thread.postMessage({ kind: "measuring" }));
  thread.postMessage({ kind: "done", result });
}

thread.onmessage = ({ data }) => {
  take(data).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    thread.postMessage({ kind: "failed", message });
  });
};
