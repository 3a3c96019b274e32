/** Which route a method and a path mean. */
import { invalidRequest, refused, type Reply } from "./reply.ts";
import { type Read, refusal, value } from "./read_request.ts";
import type { Route } from "./route.ts";

/** A route and the parameters that its path gave it. */
export interface Match {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

/** Finds routes by their paths. */
export type Router = (method: string, path: string) => Read<Match>;

interface Candidate {
  readonly route: Route;
  readonly segments: readonly string[];
}

/** Makes a router. A HEAD is a GET whose body is not sent. */
export function createRouter(routes: readonly Route[]): Router {
  const candidates = routes.map((route) => ({ route, segments: route.template.split("/") }));
  return (method, path) => {
    const segments = path.split("/");
    const here = candidates.filter((candidate) => fits(candidate, segments));
    if (here.length === 0) {
      return refusal(refused("unknown_route", { detail: `There is no ${quoted(path)}` }));
    }
    const wanted = method === "HEAD" ? "GET" : method;
    const found = here.find(({ route }) => route.method === wanted);
    if (found === undefined) return refusal(notAllowed(here));
    const parameters = readParameters(found, segments);
    if (parameters !== undefined) return value({ route: found.route, path: parameters });
    return refusal(invalidRequest([{ at: "path", message: "is not percent-encoded UTF-8" }]));
  };
}

function fits({ segments }: Candidate, actual: readonly string[]): boolean {
  return segments.length === actual.length &&
    segments.every((segment, i) => isParameter(segment) ? actual[i] !== "" : segment === actual[i]);
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

function notAllowed(here: readonly Candidate[]): Reply {
  const methods = here.flatMap(({ route }) => route.method === "GET" ? ["GET", "HEAD"] : ["POST"]);
  const allow = methods.join(", ");
  const detail = `This path takes ${allow}`;
  return refused("method_not_allowed", { detail }, { allow });
}

function readParameters(
  { segments }: Candidate,
  actual: readonly string[],
): Record<string, string> | undefined {
  try {
    return Object.fromEntries(
      segments.flatMap((segment, i) =>
        isParameter(segment) ? [[segment.slice(1, -1), decodeURIComponent(actual[i]!)]] : []
      ),
    );
  } catch {
    return undefined; // decodeURIComponent throws only for what is not percent-encoded UTF-8.
  }
}

/** Long enough to recognise a path by. */
function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 100));
}
