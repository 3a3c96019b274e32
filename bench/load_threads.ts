/** Runs the shares of a load, each in a thread of its own unless there is only one, all at the same time. */
import { OpenShare, type Share, type ShareResult } from "./load_share.ts";
import type { WorkerWord } from "./load_worker.ts";

/** One share that is connected and waits. */
interface Ready {
  run(onMeasuring: () => void): Promise<ShareResult>;
}

/**
 * Connects all, then loads the server with all.
 *
 * @param shares At least one.
 * @param onMeasuring Called once, when the first warm-up is over.
 * @throws {Error} when one of them fails; the process had better end then.
 */
export async function runShares(
  shares: readonly Share[],
  onMeasuring: () => void,
): Promise<readonly ShareResult[]> {
  const isAlone = shares.length === 1;
  const ready: Ready[] = await Promise.all(
    shares.map((share) => isAlone ? OpenShare.open(share) : openInThread(share)),
  );
  let isMeasuring = false;
  const measuring = (): void => {
    if (!isMeasuring) onMeasuring();
    isMeasuring = true;
  };
  return await Promise.all(ready.map((share) => share.run(measuring)));
}

async function openInThread(share: Share): Promise<Ready> {
  const url = new URL("./load_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  worker.postMessage(share);
  await hear(worker, "ready", () => {});
  return {
    run: async (onMeasuring) => {
      worker.postMessage("go");
      const { result } = await hear(worker, "done", onMeasuring);
      worker.terminate();
      return result;
    },
  };
}

type WordOf<Kind> = Extract<WorkerWord, { readonly kind: Kind }>;

/** Waits for a word of a thread. */
function hear<const Kind extends WorkerWord["kind"]>(
  worker: Worker,
  kind: Kind,
  onMeasuring: () => void,
): Promise<WordOf<Kind>> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<WorkerWord>) => {
      if (data.kind === kind) resolve(data as WordOf<Kind>);
      else if (data.kind === "measuring") onMeasuring();
      else if (data.kind === "failed") reject(new Error(data.message));
    };
    worker.onerror = (event) => reject(new Error(event.message));
  });
}
