/** Installs the peers from Debian's packages, and leaves none of their services running for it. */
import { runTool } from "./process.ts";

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

async function runningServices(
  services: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const running: string[] = [];
  for (const service of services) if (await isRunning(service, signal)) running.push(service);
  return running;
}

/**
 * Installs what is missing. A service that runs afterwards and did not before is stopped.
 *
 * @param packages Debian packages. A service that one starts has the name of the package without `-server`, or its
 *   whole name.
 * @param signal Fires when the run is called off.
 * @param say Told what is done.
 * @throws {Error} when apt-get fails; it needs root.
 */
export async function installPackages(
  packages: readonly string[],
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const services = packages.flatMap((name) => [name, name.replace(/-server$/, "")]);
  const before = await runningServices(services, signal);
  const apt = { signal, timeoutMs: APT_MS_MAX, env: { DEBIAN_FRONTEND: "noninteractive" } };
  say(`apt-get install ${packages.join(" ")}`);
  await runTool("apt-get", ["update", "-q"], apt);
  const flags = ["-y", "-q", "--no-install-recommends", "--no-upgrade"];
  await runTool("apt-get", ["install", ...flags, ...packages], apt);
  const started = (await runningServices(services, signal)).filter((service) =>
    !before.includes(service)
  );
  for (const service of started) {
    say(`service ${service} stop`);
    await runTool("service", [service, "stop"], { signal, timeoutMs: SERVICE_MS_MAX });
  }
}
