/** Installs the peers from Debian's packages, and leaves none of their services running for it. */
import { runTool } from "./process.ts";

/** Packages, and the services that installing them may start. */
const PACKAGES = ["redis-server", "postgresql"];
const SERVICES = ["redis-server", "postgresql"];

const APT_MS_MAX = 600_000;
const SERVICE_MS_MAX = 60_000;

async function isRunning(service: string, signal: AbortSignal): Promise<boolean> {
  try {
    await runTool("service", [service, "status"], { signal, timeoutMs: SERVICE_MS_MAX });
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function runningServices(signal: AbortSignal): Promise<string[]> {
  const running: string[] = [];
  for (const service of SERVICES) if (await isRunning(service, signal)) running.push(service);
  return running;
}

/**
 * Installs what is missing. A service that runs afterwards and did not before is stopped.
 *
 * @param signal Fires when the run is called off.
 * @param say Told what is done.
 * @throws {Error} when apt-get fails; it needs root.
 */
export async function installPeers(
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const before = await runningServices(signal);
  const apt = { signal, timeoutMs: APT_MS_MAX, env: { DEBIAN_FRONTEND: "noninteractive" } };
  say(`apt-get install ${PACKAGES.join(" ")}`);
  await runTool("apt-get", ["update", "-q"], apt);
  const flags = ["-y", "-q", "--no-install-recommends", "--no-upgrade"];
  await runTool("apt-get", ["install", ...flags, ...PACKAGES], apt);
  const started = (await runningServices(signal)).filter((service) => !before.includes(service));
  for (const service of started) {
    say(`service ${service} stop`);
    await runTool("service", [service, "stop"], { signal, timeoutMs: SERVICE_MS_MAX });
  }
}
