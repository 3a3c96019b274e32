/**
 * A headless Chromium, driven over the DevTools protocol by what Deno has: one process, one WebSocket, an empty profile.
 * It is ended by its id and leaves nothing behind. ALLOCDB_CHROMIUM names another program than the usual ones.
 */

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const START_MS_MAX = 30_000;
const CALL_MS_MAX = 20_000;

/** What DevTools answer to a call, or tell without being asked. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly sessionId?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** How a page is opened. */
export interface PageOptions {
  readonly isDark?: boolean;
  readonly hasScripts?: boolean;
  readonly media?: "print";
  readonly width?: number;
  readonly height?: number;
}

/**
 * Where a Chromium is.
 *
 * @throws {Error} if there is none: a test of a page that was never opened must not pass.
 */
export async function findChromium(): Promise<string> {
  const asked = Deno.env.get("ALLOCDB_CHROMIUM");
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "");
  const places = folders.flatMap((folder) => NAMES.map((name) => `${folder}/${name}`));
  for (const path of asked === undefined ? places : [asked]) {
    const found = await Deno.stat(path).catch(() => undefined);
    if (found?.isFile) return path;
  }
  throw new Error(
    asked === undefined
      ? `No Chromium in PATH (${NAMES.join(", ")}); install one or name it with ALLOCDB_CHROMIUM`
      : `No Chromium at ALLOCDB_CHROMIUM=${asked}`,
  );
}

/** See the top of this file. */
export class Chromium implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();
  readonly #pages = new Map<string, Page>();
  #calls = 0;

  private constructor(process: Deno.ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(data)));
  }

  /** Starts one. */
  static async start(): Promise<Chromium> {
    const path = await findChromium();
    const profile = await Deno.makeTempDir({ prefix: "allocdb-browser." });
    const args = [
      ...["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--disable-dev-shm-usage", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
      "about:blank",
    ];
    const process = new Deno.Command(path, { args, stdin: "null", stdout: "null", stderr: "null" })
      .spawn();
    try {
      return new Chromium(process, profile, await connect(profile));
    } catch (error) {
      await end(process, profile);
      throw error;
    }
  }

  /** Calls a method of the protocol. */
  async call(
    method: string,
    params: Record<string, unknown>,
    sessionId?: string,
  ): Promise<Record<string, unknown>> {
    const id = ++this.#calls;
    const answer = Promise.withResolvers<Record<string, unknown>>();
    this.#waiting.set(id, answer);
    const timer = setTimeout(() => answer.reject(new Error(`${method}: no answer`)), CALL_MS_MAX);
    try {
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  #heard({ id, method, sessionId, params, result, error }: Message): void {
    if (id === undefined) return this.#pages.get(sessionId ?? "")?.heard(method!, params ?? {});
    if (error === undefined) this.#waiting.get(id)?.resolve(result ?? {});
    else this.#waiting.get(id)?.reject(new Error(error.message));
  }

  /** Opens an empty page. */
  async page(options: PageOptions = {}): Promise<Page> {
    const { targetId } = await this.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.call("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page((method, params = {}) => this.call(method, params, sessionId as string));
    this.#pages.set(sessionId as string, page);
    await page.prepare(options);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.addEventListener("close", resolve));
    this.#socket.close();
    await end(this.#process, this.#profile);
    await closed;
  }
}

/** The browser writes its port into its profile when it listens. */
async function connect(profile: string): Promise<WebSocket> {
  const until = Date.now() + START_MS_MAX;
  while (Date.now() < until) {
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
    const [port, path] = text.split("\n");
    if (path !== undefined && path !== "") return await open(`ws://127.0.0.1:${port}${path}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Chromium does not listen");
}

async function open(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`Cannot reach ${url}`)), {
      once: true,
    });
  });
  return socket;
}

async function end(process: Deno.ChildProcess, profile: string): Promise<void> {
  try {
    process.kill("SIGTERM");
  } catch {
    // It has ended by itself.
  }
  await process.status;
  // Helpers of the browser may still write for a moment after it.
  for (let turn = 0; turn < 20; turn++) {
    const isGone = await Deno.remove(profile, { recursive: true }).then(() => true, () => false);
    if (isGone) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

type Call = (method: string, params?: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** One page. */
export class Page {
  /** What it complained of, and what it asked the network for. */
  readonly complaints: string[] = [];
  readonly requests: string[] = [];
  readonly #call: Call;
  #loaded = Promise.withResolvers<void>();

  constructor(call: Call) {
    this.#call = call;
  }

  /** Takes what the browser tells of this page. */
  heard(method: string, params: Record<string, unknown>): void {
    const words = JSON.stringify(params);
    if (method === "Runtime.exceptionThrown") this.complaints.push(words);
    if (method === "Runtime.consoleAPICalled") this.complaints.push(words);
    if (method === "Log.entryAdded") this.complaints.push(words);
    if (method === "Network.requestWillBeSent") {
      this.requests.push((params["request"] as { url: string }).url);
    }
    if (method === "Page.loadEventFired") this.#loaded.resolve();
  }

  /** Sets it up before anything is opened in it. */
  async prepare(options: PageOptions): Promise<void> {
    const { isDark = false, hasScripts = true, media = "", width = 1280, height = 900 } = options;
    for (const domain of ["Runtime", "Log", "Network", "Page"]) {
      await this.#call(`${domain}.enable`);
    }
    const features = [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }];
    await this.#call("Emulation.setEmulatedMedia", { media, features });
    const size = { width, height, deviceScaleFactor: 1, mobile: false };
    await this.#call("Emulation.setDeviceMetricsOverride", size);
    await this.#call("Emulation.setScriptExecutionDisabled", { value: !hasScripts });
  }

  /** Opens a file and waits until it is loaded. */
  async open(path: string): Promise<void> {
    this.#loaded = Promise.withResolvers();
    await this.#call("Page.navigate", { url: `file://${path}` });
    await this.#loaded.promise;
  }

  /** Opens a report and waits until its script has drawn. */
  async openReport(path: string): Promise<void> {
    await this.open(path);
    await this.until(`document.documentElement.dataset.ready === "yes"`);
    await this.frame();
  }

  /** The value of an expression, which may be a promise. Throws what it throws. */
  async evaluate<T>(expression: string): Promise<T> {
    const said = await this.#call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { exceptionDetails, result } = said as {
      exceptionDetails?: { exception?: { description?: string } };
      result: { value: T };
    };
    if (exceptionDetails !== undefined) {
      throw new Error(exceptionDetails.exception?.description ?? expression);
    }
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression: string): Promise<void> {
    const until = Date.now() + CALL_MS_MAX;
    while (Date.now() < until) {
      if (await this.evaluate<boolean>(expression)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Never true: ${expression}; ${this.complaints.join("; ")}`);
  }

  /** Waits for two frames, after which what was asked for is drawn. */
  async frame(): Promise<void> {
    await this.evaluate(
      `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))`,
    );
  }

  /** Moves the mouse in the coordinates of the window; presses and lets go with `isClick`. */
  async mouse(x: number, y: number, isClick = false): Promise<void> {
    const at = { x, y, pointerType: "mouse" };
    await this.#call("Input.dispatchMouseEvent", { type: "mouseMoved", ...at });
    for (const type of isClick ? ["mousePressed", "mouseReleased"] : []) {
      await this.#call("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
    }
    await this.frame();
  }

  /** Presses at one place and lets go at another. */
  async drag(from: readonly [number, number], to: readonly [number, number]): Promise<void> {
    const steps = [
      ["mouseMoved", from],
      ["mousePressed", from],
      ["mouseMoved", [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2]],
      ["mouseMoved", to],
      ["mouseReleased", to],
    ] as const;
    for (const [type, [x, y]] of steps) {
      await this.#call("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
    await this.frame();
  }

  /** Presses a key where the focus is. */
  async key(key: string): Promise<void> {
    for (const type of ["keyDown", "keyUp"]) {
      await this.#call("Input.dispatchKeyEvent", { type, key });
    }
    await this.frame();
  }

  /** Types into what has the focus. */
  async type(text: string): Promise<void> {
    await this.#call("Input.insertText", { text });
    await this.frame();
  }

  /** A picture, as the bytes of a PNG; of everything, or of what is seen. */
  async screenshot(isWhole = false): Promise<Uint8Array> {
    const { data } = await this.#call("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: isWhole,
    });
    return Uint8Array.from(atob(data as string), (letter) => letter.charCodeAt(0));
  }

  /** What it looks like on paper, as the bytes of a PDF. */
  async pdf(): Promise<Uint8Array> {
    const { data } = await this.#call("Page.printToPDF", { printBackground: true });
    return Uint8Array.from(atob(data as string), (letter) => letter.charCodeAt(0));
  }
}
