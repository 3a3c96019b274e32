/** Every target, in the order of a run. */
import type { Target } from "../target.ts";
import { resultTarget, submitTarget } from "./batches.ts";
import { commandTarget } from "./commands.ts";
import { frameTarget } from "./frames.ts";
import { logTarget } from "./log.ts";
import { metadataBodyTarget, metadataTarget } from "./metadata.ts";
import { snapshotTarget } from "./snapshot.ts";
import { configTarget } from "./config.ts";
import { engineTarget } from "./engine.ts";
import { jsonTarget } from "./json.ts";
import { workspaceTarget } from "./workspace.ts";
import { wordTarget } from "./words.ts";
import { serverTarget } from "./server.ts";
import { httpTarget } from "./http.ts";
import { clientTarget } from "./client.ts";
import { helloTarget, replyTarget, requestTarget } from "./messages.ts";
import { historyTarget } from "./histories.ts";
import { archiveTarget, controlTarget } from "./operator.ts";
import { peerHelloTarget, peerMessageTarget } from "./peers.ts";
import { planTarget } from "./plan.ts";
import { installNoteTarget, offerTarget } from "./replica_files.ts";

/** Makes them; what needs a server starts it with its first case. */
export function allTargets(): Target[] {
  return [
    commandTarget(),
    frameTarget(),
    helloTarget(),
    requestTarget(),
    submitTarget(),
    replyTarget(),
    resultTarget(),
    logTarget(),
    snapshotTarget(),
    metadataTarget(),
    metadataBodyTarget(),
    offerTarget(),
    installNoteTarget(),
    engineTarget(),
    configTarget(),
    wordTarget(),
    jsonTarget(),
    serverTarget(),
    httpTarget(),
    clientTarget(),
    peerHelloTarget(),
    peerMessageTarget(),
    workspaceTarget(),
    controlTarget(),
    archiveTarget(),
    planTarget(),
    historyTarget(),
  ];
}
