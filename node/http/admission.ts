/** Which requests get as far as a route: the right host, path, method and origin, and room for one more. */
import type { Gateway } from "./gateway.ts";
import { type Read, refusal, value } from "./read_request.ts";
import { invalidRequest, refused, type Reply } from "./reply.ts";
import type { Match, Router } from "./router.ts";

/** A request that may be answered. */
export interface Admitted extends Match {
  readonly url: URL;
}

/** Admits a request or says why not. */
export type Admission = (request: Request) => Read<Admitted>;

const LOOPBACK = /^(localhost|.*\.localhost|127(\.[0-9]{1,3}){3}|\[::1\])$/;

/**
 * Makes the check.
 *
 * @param gateway Whose requests.
 * @param router Finds their routes.
 * @param hostname Where the gateway listens. On loopback it answers to loopback's names alone: a page whose
 *   name was made to point here would otherwise be let in by the browser.
 * @param allowedHosts Further names it answers to.
 */
export function createAdmission(
  gateway: Gateway,
  router: Router,
  hostname: string,
  allowedHosts: readonly string[],
): Admission {
  const local = LOOPBACK.test(hostname) || hostname === "::1";
  const isOurs = (host: string): boolean =>
    !local || LOOPBACK.test(host) || allowedHosts.includes(host);
  return (request) => {
    const url = URL.parse(request.url);
    // Two Host headers arrive as one with a comma.
    if (url === null || request.headers.get("host")?.includes(",")) {
      return refusal(invalidRequest([{ at: "header.Host", message: "is not one host" }]));
    }
    if (!isOurs(url.hostname)) return refusal(refused("misdirected", {}, CLOSE));
    const match = router(request.method, url.pathname);
    if (match.kind === "reply") return match;
    const reason = turnedAway(gateway, match.value, request, url);
    return reason === undefined ? value({ ...match.value, url }) : refusal(reason);
  };
}

/** What was not read stands in the way of the next request. */
const CLOSE = { connection: "close" };

function turnedAway(
  { draining, inFlight, limits }: Gateway,
  { route }: Match,
  request: Request,
  url: URL,
): Reply | undefined {
  if (route.method === "POST") {
    const origin = request.headers.get("origin");
    if (origin !== null && URL.parse(origin)?.host !== url.host) {
      return refused("cross_origin", {}, CLOSE);
    }
    if (draining) return refused("shutting_down", {}, CLOSE);
  }
  if (route.probe || inFlight <= limits.maxInFlight) return undefined;
  const facts = { in_flight: inFlight - 1, max_in_flight: limits.maxInFlight };
  return refused("overloaded", facts, CLOSE);
}
