import { type Failure, PedidosError } from "./error.js";
import type { components, paths } from "./schema.gen.js";

/** The configuration of a client. Only an address is required. */
export interface Config {
  /** The address of Pedidos, such as https://pedidos.example, where one front door serves all services. */
  readonly url?: string;
  /** The addresses of the services that are not at `url`. */
  readonly customersUrl?: string;
  readonly ordersUrl?: string;
  readonly orchestratorUrl?: string;
  /** The key of an integrator. Programs use one. */
  readonly apiKey?: string;
  /** The user name and the password of a user. The client logs in when it needs to, and again before the access token expires. */
  readonly username?: string;
  readonly password?: string;
  /** Sends the requests; by default the global fetch. */
  readonly fetch?: typeof fetch;
  /** How long to wait for the response to one request, in milliseconds; 15,000 by default. */
  readonly timeout?: number;
  /** The number of requests of one call; 8 by default. The waits between 8 are about 10 seconds together. 1 means no retries. */
  readonly maxAttempts?: number;
  /** The longest Retry-After that a call waits for, in milliseconds; 30,000 by default. With a longer one, the call fails at once. */
  readonly maxWait?: number;
}

/** The options of every call. */
export interface CallOptions {
  /** Ends the call, also between its attempts. */
  readonly signal?: AbortSignal;
  /** Names the call in the logs of Pedidos. */
  readonly correlationId?: string;
}

/** The options of a change. */
export interface ChangeOptions extends CallOptions {
  /**
   * The idempotency key: 1 to 255 visible ASCII characters, such as the number of the order in your own system. A call with the same key
   * and the same arguments takes effect once, also if another process repeats it, for 24 hours by default. Without one, each call has a
   * random key, which its retries share.
   */
  readonly key?: string;
  /** Makes the change only if the resource still has this version; otherwise the code is precondition_failed. `update` sets it. */
  readonly etag?: string | undefined;
}

type Method = "get" | "post" | "patch" | "delete";

/** The paths that have a method. */
type PathWith<M extends Method> = { [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never }[keyof paths];

/** The body of a success. */
type Result<O> = O extends { responses: infer R } ? R[keyof R] extends { content: { "application/json": infer T } } ? T : undefined : never;

type Body<O> = O extends { requestBody?: infer B }
  ? NonNullable<B> extends { content: { "application/json": infer T } } ? T : never
  : never;
type Query<O> = O extends { parameters: { query?: infer Q } } ? Q : never;
type Ids<O> = O extends { parameters: { path: infer I } } ? I : undefined;
type Header<O> = O extends { parameters: { header?: infer H } } ? NonNullable<H> : never;
type IsKeyed<O> = [Header<O>] extends [never] ? false : "Idempotency-Key" extends keyof Header<O> ? true : false;

/** The arguments of a call. The contract decides what is allowed, and whether there is an Idempotency-Key. */
interface Request<O> {
  readonly ids?: Ids<O>;
  readonly query?: Query<O>;
  readonly body?: Body<O>;
  readonly keyed: IsKeyed<O>;
  /** The key, if it is in the body. */
  readonly bodyKey?: string;
  /** Without a token. */
  readonly open?: boolean;
  /** Whether a request without a key, other than GET, may be sent again. */
  readonly repeatable?: boolean;
}

/** A result, with the ETag of its response. */
export type Versioned<T> = T & { readonly etag?: string };

type Service = "customers" | "orders" | "orchestrator";

const services: Readonly<Record<string, Service>> = {
  orders: "orders", products: "orders", reports: "orders", orchestrator: "orchestrator",
};

/** Sends calls. */
export class Transport {
  readonly #bases: Readonly<Record<Service, string>>;
  readonly #config: Config;
  #token: { readonly text: string; readonly until: number } | undefined;
  #login: Promise<void> | undefined;

  constructor(config: Config) {
    const base = (own: string | undefined, service: string) => {
      const text = own ?? config.url ?? "";
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.username !== "") {
        throw new TypeError(`the address of the ${service} service must be a URL such as https://pedidos.example`);
      }
      return text.replace(/\/+$/, "");
    };
    this.#bases = {
      customers: base(config.customersUrl, "customers"),
      orders: base(config.ordersUrl, "orders"),
      orchestrator: base(config.orchestratorUrl, "orchestrator"),
    };
    if (config.apiKey && (config.username || config.password)) throw new TypeError("there are both an apiKey and a username or password");
    if (!config.username !== !config.password) throw new TypeError("there is a username without a password, or the reverse");
    this.#config = config;
  }

  /** Calls an operation until there is a final response, with one key. */
  async call<M extends Method, P extends PathWith<M>>(
    method: M, path: P, request: Request<paths[P][M]>, options: ChangeOptions = {},
  ): Promise<Versioned<Result<paths[P][M]>>> {
    const { ids, query, body } = request as { ids?: Record<string, unknown>; query?: Record<string, unknown>; body?: unknown };
    const named = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(ids?.[name])));
    const operation = `${method.toUpperCase()} ${named}`;
    const key = request.bodyKey ?? (request.keyed ? options.key ?? newKey() : undefined);
    if (key !== undefined && !/^[!-~]{1,255}$/.test(key)) {
      const cause = new TypeError("the idempotency key must have 1 to 255 visible ASCII characters");
      throw new PedidosError(operation, { cause }, key, 0);
    }
    const headers: Record<string, string> = { Accept: "application/json" };
    if (request.keyed && key !== undefined) headers["Idempotency-Key"] = key;
    if (options.etag) headers["If-Match"] = options.etag;
    if (options.correlationId) headers["X-Correlation-Id"] = options.correlationId;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query ?? {})) {
      if (value !== undefined && value !== "") search.set(name, String(value)); // a list is joined by commas
    }
    const url = this.#bases[services[path.split("/")[1] ?? ""] ?? "customers"] + named + (search.size > 0 ? `?${search}` : "");
    const init = { method: method.toUpperCase(), headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };

    const { maxAttempts = 8, maxWait = 30_000 } = this.#config;
    const repeatable = key !== undefined || method === "get" || request.repeatable === true;
    let refused: string | undefined; // an access token that is no longer accepted
    for (let attempt = 1; ; attempt++) {
      const token = request.open ? undefined : await this.#credentials(refused, options.signal);
      const done = await this.#attempt(url, init, token, options.signal);
      if (done.failure === undefined) return done.result as Versioned<Result<paths[P][M]>>;
      options.signal?.throwIfAborted();
      if (done.failure.status === 401 && token === undefined && !request.open) {
        const detail = "No credentials were sent: set apiKey, or username and password.";
        throw new PedidosError(operation, { ...done.failure, detail }, key, attempt);
      }
      if (done.failure.status === 401 && this.#config.username && token !== undefined && refused === undefined) {
        refused = token;
        continue;
      }
      const asked = (done.failure.retryAfter ?? 0) * 1000;
      if (attempt >= maxAttempts || !repeatable || !isTemporary(done.failure) || asked > maxWait) {
        throw new PedidosError(operation, done.failure, key, attempt);
      }
      await sleep(wait(attempt, asked), options.signal);
    }
  }

  /** Yields the entries of all pages. */
  async *list<P extends PathWith<"get">>(
    path: P, request: Omit<Request<paths[P]["get"]>, "keyed">, options?: CallOptions,
  ): AsyncGenerator<Result<paths[P]["get"]> extends { data: (infer T)[] } ? T : never, void, undefined> {
    let cursor: string | null | undefined;
    do {
      const query = { ...(request.query as object), limit: 100, ...(cursor ? { cursor } : {}) };
      const page = (await this.call("get", path, { ...request, query, keyed: false } as Request<paths[P]["get"]>, options)) as unknown as {
        data: never[]; next_cursor: string | null;
      };
      yield* page.data;
      cursor = page.next_cursor;
    } while (cursor);
  }

  /** Sends one request. The result is that of a complete and successful response. */
  async #attempt(
    url: string, init: { headers: Record<string, string> }, token: string | undefined, signal: AbortSignal | undefined,
  ): Promise<{ failure?: undefined; result: unknown } | { failure: Failure }> {
    const headers = token === undefined ? init.headers : { ...init.headers, Authorization: `Bearer ${token}` };
    const timeout = AbortSignal.timeout(this.#config.timeout ?? 15_000); // a service answers within 10 seconds
    let response: Response, text: string | undefined;
    try {
      response = await (this.#config.fetch ?? fetch)(url, {
        ...init, headers, redirect: "manual", signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      text = await read(response);
    } catch (cause) {
      return { failure: { cause } };
    }
    if (!response.ok) return { failure: failureOf(response, text) };
    if (response.status === 204) return { result: undefined };
    try {
      if (text === undefined) throw new RangeError(`the response is larger than ${maxBody >> 20} MiB`);
      const result = JSON.parse(text) as { etag?: string };
      const etag = response.headers.get("ETag");
      if (etag !== null) result.etag = etag;
      return { result };
    } catch (cause) {
      return { failure: { status: response.status, cause } };
    }
  }

  /** Returns the API key, or an access token other than refused. Concurrent callers share one login. */
  async #credentials(refused: string | undefined, signal: AbortSignal | undefined): Promise<string | undefined> {
    const { username, password } = this.#config;
    if (!username || !password) return this.#config.apiKey || undefined;
    for (;;) {
      const token = this.#token;
      if (token !== undefined && token.text !== refused && Date.now() < token.until) return token.text;
      this.#login ??= this.#logIn(username, password).finally(() => { this.#login = undefined; });
      await until(this.#login, signal);
    }
  }

  async #logIn(username: string, password: string): Promise<void> {
    const asked = Date.now();
    const { access_token, expires_in } = await this.call("post", "/auth/login", {
      body: { username, password }, keyed: false, open: true, repeatable: true,
    });
    this.#token = { text: access_token, until: asked + expires_in * 900 }; // nine tenths of its life
  }
}

/** Returns a random idempotency key. Browsers have randomUUID only on pages with HTTPS. */
export const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * The limit of the body of a response, in bytes. The largest page of the contracts, 100 orders of 100 lines with the longest names, has less
 * than 15 MiB.
 */
const maxBody = 16 * 2 ** 20;

/** Returns the body of a response, or undefined if it is larger than maxBody. */
async function read(response: Response): Promise<string | undefined> {
  const body = response.body?.getReader();
  const decoder = new TextDecoder();
  let text = "", size = 0;
  for (;;) {
    const chunk = await body?.read();
    if (chunk?.value === undefined) return text + decoder.decode();
    size += chunk.value.byteLength;
    if (size > maxBody) {
      await body?.cancel();
      return undefined;
    }
    text += decoder.decode(chunk.value, { stream: true });
  }
}

function failureOf(response: Response, text = ""): Failure {
  const retryAfter = Number(response.headers.get("Retry-After")) || undefined;
  let problem: Partial<components["schemas"]["Failure"]> = {};
  try {
    problem = JSON.parse(text) as typeof problem;
  } catch {
    // Something else than Pedidos answered.
  }
  return {
    status: response.status, retryAfter, code: problem.code, detail: problem.detail, fields: problem.errors, shortages: problem.shortages,
    traceId: problem.trace_id, step: problem.error?.step, correlationId: problem.correlationId, withdrawn: problem.order,
  };
}

/** Whether a later attempt may succeed. A proxy that loses a service answers 502 or 504. */
function isTemporary({ status, code }: Failure): boolean {
  return status === undefined || [429, 502, 503, 504].includes(status) || code === "request_in_progress";
}

/** Returns the time until the next attempt: an exponential backoff, at least asked, with up to 50 % jitter. */
function wait(attempt: number, asked: number): number {
  const least = Math.max(asked, Math.min(75 * 2 ** (attempt - 1), 4000));
  return least + (Math.random() * least) / 2;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return until(new Promise<void>((resolve) => { timer = setTimeout(resolve, milliseconds); }), signal).finally(() => clearTimeout(timer));
}

/** Waits for a promise, or rejects with the reason of the signal. */
function until<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => { reject(signal.reason as Error); };
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => { signal.removeEventListener("abort", abort); });
  });
}
