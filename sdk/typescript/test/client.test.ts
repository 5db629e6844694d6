import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type Config, type CustomerID, type OrderID, Pedidos, PedidosError, type ProductID } from "../src/index.js";

/** A request that a client sends. */
interface Sent {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
}

/** Returns a client whose requests a function answers, and the list of these requests. */
function clientOf(answer: (sent: Sent, n: number) => Response | Promise<Response>, config: Config = {}): { client: Pedidos; sent: Sent[] } {
  const sent: Sent[] = [];
  const client = new Pedidos({
    url: "http://pedidos.example/api/",
    fetch: async (input, init) => {
      init?.signal?.throwIfAborted();
      const one = {
        method: init?.method ?? "", url: new URL(String(input)), headers: new Headers(init?.headers), body: String(init?.body ?? ""),
      };
      sent.push(one);
      return answer(one, sent.length);
    },
    ...config,
  });
  return { client, sent };
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  json(status, { status, code, detail: "Something.", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736" }, headers);
const lost = () => { throw new TypeError("fetch failed", { cause: new Error("other side closed") }); };

/** Waits for a promise while the time of the test passes quickly, and returns how many milliseconds passed. */
async function quickly<T>(t: TestContext, start: () => Promise<T>): Promise<{ result?: T; error?: unknown; took: number }> {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const begin = Date.now();
  let done: { result?: T; error?: unknown; took: number } | undefined;
  start().then(
    (result) => { done = { result, took: Date.now() - begin }; },
    (error: unknown) => { done = { error, took: Date.now() - begin }; },
  );
  for (;;) {
    await new Promise((resolve) => { setImmediate(resolve); });
    if (done !== undefined) return done;
    t.mock.timers.tick(10);
  }
}

const order = { customer_id: 1 as CustomerID, items: [{ product_id: 2 as ProductID, qty: 3 }] };

const cases: { name: string; answers: (() => Response)[]; requests: number; code?: string; least: number; most: number }[] = [
  { name: "no fault", answers: [], requests: 1, least: 0, most: 0 },
  { name: "lost", answers: [lost, lost, lost], requests: 4, least: 525, most: 830 },
  { name: "429", answers: [() => problem(429, "too_many_requests", { "Retry-After": "7" })], requests: 2, least: 7000, most: 10_520 },
  { name: "503", answers: [() => problem(503, "unavailable", { "Retry-After": "1" })], requests: 2, least: 1000, most: 1520 },
  {
    name: "502 and 504", answers: [() => new Response("<html>", { status: 502 }), () => new Response("", { status: 504 })],
    requests: 3, least: 225, most: 360,
  },
  {
    name: "in progress", answers: [() => problem(409, "request_in_progress", { "Retry-After": "1" })],
    requests: 2, least: 1000, most: 1520,
  },
  {
    name: "a long wait", answers: [() => problem(429, "too_many_requests", { "Retry-After": "31" })],
    requests: 1, code: "too_many_requests", least: 0, most: 0,
  },
  { name: "conflict", answers: [() => problem(409, "insufficient_stock")], requests: 1, code: "insufficient_stock", least: 0, most: 0 },
  { name: "internal", answers: [() => problem(500, "internal")], requests: 1, code: "internal", least: 0, most: 0 },
  {
    name: "down", answers: Array.from({ length: 20 }, () => () => problem(503, "unavailable", { "Retry-After": "1" })),
    requests: 8, code: "unavailable", least: 7000, most: 20_000,
  },
];

for (const { name, answers, requests, code, least, most } of cases) {
  test(`retries: ${name}`, async (t) => {
    const created = () => json(201, { id: 7, confirmed_at: null }, { ETag: '"3"' });
    const { client, sent } = clientOf((_, n) => (answers[n - 1] ?? created)(), { apiKey: "ped_1_x" });
    const { result, error, took } = await quickly(t, () => client.orders.create(order));
    assert.ok(took >= least && took <= most, `it took ${took} ms, want ${least} to ${most}`);
    assert.equal(sent.length, requests);
    const keys = new Set(sent.map((s) => s.headers.get("Idempotency-Key")));
    assert.equal(keys.size, 1);
    assert.match([...keys][0] ?? "", /^[0-9a-f]{32}$/);
    assert.deepEqual(new Set(sent.map((s) => s.body)), new Set([JSON.stringify(order)]));
    assert.ok(sent.every((s) => s.headers.get("Authorization") === "Bearer ped_1_x"));
    if (code === undefined) {
      assert.equal(error, undefined);
      assert.equal(result?.id, 7);
      assert.equal(result?.etag, '"3"');
      return;
    }
    assert.ok(error instanceof PedidosError);
    assert.equal(error.code, code);
    assert.equal(error.attempts, requests);
    assert.equal(error.key, [...keys][0]);
    assert.equal(error.traceId, "4bf92f3577b34da6a3ce929d0e0e4736");
  });
}

test("a lost answer of a change without a key is not repeated", async () => {
  const { client, sent } = clientOf(lost);
  const error = await client.account.setPassword({ token: "a", password: "b" }).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.status === 0 && error.cause instanceof TypeError);
  assert.equal(sent.length, 1);
});

test("a signal ends the wait for the next attempt", async (t) => {
  const { client, sent } = clientOf(() => problem(503, "unavailable", { "Retry-After": "20" }));
  const stop = new AbortController();
  const { error, took } = await quickly(t, () => {
    setTimeout(() => { stop.abort(new Error("no longer needed")); }, 5000);
    return client.customers.get(1 as CustomerID, { signal: stop.signal });
  });
  assert.ok(error instanceof Error && error.message === "no longer needed");
  assert.equal(took, 5000);
  assert.equal(sent.length, 1);
});

test("concurrent calls share tokens, which are renewed", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  let logins = 0, refused = 0;
  const { client } = clientOf(async ({ url, headers }) => {
    if (url.pathname === "/api/auth/login") {
      await new Promise((resolve) => { setImmediate(resolve); });
      logins++;
      return json(200, { access_token: `token-${logins}`, token_type: "Bearer", expires_in: 3600 });
    }
    const valid = headers.get("Authorization") === `Bearer token-${logins}` && refused !== logins;
    return valid ? json(200, { name: "Ana" }) : problem(401, "unauthorized");
  }, { username: "ana", password: "secret" });
  const all = () => Promise.all(Array.from({ length: 50 }, () => client.account.me()));
  await all();
  assert.equal(logins, 1);
  t.mock.timers.tick(50 * 60_000);
  await all();
  assert.equal(logins, 1);
  t.mock.timers.tick(5 * 60_000);
  await all();
  assert.equal(logins, 2);
  refused = 2;
  const answers = await all();
  assert.equal(logins, 3);
  assert.ok(answers.every((me) => me.name === "Ana"));
});

test("a wrong password is the error of the call", async () => {
  const { client, sent } = clientOf(() => problem(401, "invalid_credentials"), { username: "ana", password: "wrong" });
  const error = await client.account.me().catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.code === "invalid_credentials" && error.operation === "POST /auth/login");
  assert.equal(sent.length, 1);
});

test("without credentials, an error says what is missing", async () => {
  const { client, sent } = clientOf(() => problem(401, "unauthorized"), { apiKey: "" });
  const error = await client.orders.get(1 as OrderID).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.status === 401);
  assert.match(error.message, /No credentials were sent: set apiKey, or username and password\./);
  assert.equal(sent[0]?.headers.has("Authorization"), false);
  const open = await client.account.setPassword({ token: "a", password: "b" }).catch((e: unknown) => e);
  assert.ok(open instanceof PedidosError && open.detail === "Something.");
});

test("lists follow the cursor until the caller stops", async () => {
  const { client, sent } = clientOf(({ url }) =>
    url.searchParams.has("cursor")
      ? json(200, { data: [{ id: 3 }], next_cursor: null })
      : json(200, { data: [{ id: 1 }, { id: 2 }], next_cursor: "two" }));
  const ids: number[] = [];
  const filter = { ids: [1 as ProductID, 2 as ProductID], low_stock: true, search: "A B" };
  for await (const product of client.products.list(filter)) ids.push(product.id);
  assert.deepEqual(ids, [1, 2, 3]);
  assert.deepEqual(sent.map((s) => s.url.search), [
    "?ids=1%2C2&low_stock=true&search=A+B&limit=100", "?ids=1%2C2&low_stock=true&search=A+B&limit=100&cursor=two",
  ]);
  sent.length = 0;
  for await (const product of client.products.list()) {
    assert.equal(product.id, 1);
    break;
  }
  assert.equal(sent.length, 1);
});

test("errors have what the orchestrator says", async () => {
  const { client, sent } = clientOf(() => json(409, {
    code: "insufficient_stock", detail: "Too few units.", trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", correlationId: "run-1",
    success: false, shortages: [{ product_id: 7, requested: 5, available: 2 }], errors: [{ field: "items[0].qty", message: "is too large" }],
    error: { step: "create_order" }, order: { id: 9, status: "CANCELED" },
  }));
  const error = await client.orders.createAndConfirm(order, { key: "erp-1", correlationId: "run-1" }).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error instanceof Error);
  assert.equal(error.step, "create_order");
  assert.equal(error.correlationId, "run-1");
  assert.equal(error.withdrawn?.id, 9);
  assert.equal(error.key, "erp-1");
  assert.equal(error.message, "POST /orchestrator/create-and-confirm-order: 409 insufficient_stock: Too few units.: " +
    "items[0].qty is too large: product 7 has 2 of 5 units: trace 4bf92f3577b34da6a3ce929d0e0e4736");
  assert.deepEqual(JSON.parse(sent[0]?.body ?? ""), { ...order, idempotency_key: "erp-1" });
  assert.equal(sent[0]?.headers.get("X-Correlation-Id"), "run-1");
  assert.equal(sent[0]?.headers.has("Idempotency-Key"), false);
});

test("something else than Pedidos answers", async () => {
  for (const [status, want] of [
    [200, /^GET \/orders\/1: 200: Unexpected token/], [303, /^GET \/orders\/1: 303$/], [404, /^GET \/orders\/1: 404$/],
  ] as const) {
    const { client, sent } = clientOf(() => new Response("<html>", { status }));
    const error = await client.orders.get(1 as OrderID).catch((e: unknown) => e);
    assert.ok(error instanceof PedidosError);
    assert.match(error.message, want);
    assert.equal(sent.length, 1);
  }
});

test("a success whose response cannot be read has its status, and is not repeated", async () => {
  let read = 0;
  const spaces = new Uint8Array(2 ** 20).fill(32);
  const endless = () => new ReadableStream({ pull(to) { read++; to.enqueue(spaces); } });
  for (const [body, want] of [
    [() => "<html>", /^POST \/orders: 201: Unexpected token/], [() => '{"id":', /^POST \/orders: 201: /],
    [() => "", /^POST \/orders: 201: Unexpected end/], [() => "null", /^POST \/orders: 201: /],
    [endless, /^POST \/orders: 201: the response is larger than 16 MiB$/],
  ] as const) {
    const { client, sent } = clientOf(() => new Response(body(), { status: 201, headers: { ETag: '"1"' } }));
    const error = await client.orders.create(order, { key: "erp-1" }).catch((e: unknown) => e);
    assert.ok(error instanceof PedidosError, want.source);
    assert.match(error.message, want);
    assert.equal(error.status, 201);
    assert.equal(error.key, "erp-1");
    assert.ok(error.cause instanceof Error);
    assert.equal(sent.length, 1);
  }
  assert.ok(read >= 17 && read < 20, `read ${read} MiB`);
});

test("a response of 16 MiB is read, an error above it is not", async () => {
  const { client } = clientOf(({ method }) => method === "GET"
    ? new Response(`{"id":7,"name":"${"ñ".repeat(8 * 2 ** 20 - 10)}"}`)
    : new Response(" ".repeat(17 * 2 ** 20), { status: 409 }));
  const product = await client.products.get(7 as ProductID);
  assert.ok(/^ñ+$/.test(product.name) && product.name.length === 8 * 2 ** 20 - 10);
  const error = await client.orders.confirm(7 as OrderID).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.status === 409 && error.code === undefined);
});

test("an update sends what was read", async () => {
  const { client, sent } = clientOf(({ method }) => json(200, { id: 7 }, { ETag: method === "GET" ? '"41"' : '"42"' }));
  const read = await client.products.get(7 as ProductID);
  const changed = await client.products.update(read, { stock: 0, archived: false });
  assert.equal(changed.etag, '"42"');
  await client.products.update({ id: read.id }, { stock_delta: -1 });
  assert.deepEqual(sent.map((s) => [s.headers.get("If-Match"), s.body]), [
    [null, ""], ['"41"', '{"stock":0,"archived":false}'], [null, '{"stock_delta":-1}'],
  ]);
});

test("keys are checked", async () => {
  for (const [key, valid] of [
    ["a", true], ["~".repeat(255), true], ["", false], ["~".repeat(256), false], ["a b", false], ["ñ", false],
  ] as const) {
    const { client, sent } = clientOf(() => json(200, {}));
    const error = await client.orders.confirm(1 as OrderID, { key }).then(() => undefined, (e: unknown) => e);
    assert.equal(error === undefined, valid, JSON.stringify(key));
    if (valid) assert.equal(sent[0]?.headers.get("Idempotency-Key"), key);
    else assert.ok(error instanceof PedidosError && /idempotency key/.test(error.message) && sent.length === 0);
  }
});

test("the configuration is checked", () => {
  const url = "https://pedidos.example";
  for (const [config, want] of [
    [{}, /customers service/],
    [{ url, ordersUrl: "pedidos.example" }, /orders service/],
    [{ url, orchestratorUrl: "ftp://pedidos.example" }, /orchestrator service/],
    [{ url, apiKey: "ped_1_x", username: "ana", password: "secret" }, /both an apiKey/],
    [{ url, username: "ana" }, /without a password/],
  ] as const) assert.throws(() => new Pedidos(config), want);
  assert.ok(new Pedidos({ customersUrl: url, ordersUrl: "http://[::1]:3002", orchestratorUrl: `${url}/dev/` }));
});

// The compiler checks these.
export function types(client: Pedidos, order: OrderID, customer: CustomerID): void {
  // @ts-expect-error The id of an order is not that of a customer.
  void client.customers.get(order);
  // @ts-expect-error A number is not an id.
  void client.orders.get(7);
  // @ts-expect-error There is no such field.
  void client.customers.create({ name: "ACME", email: "compras@acme.example", vat: "x" });
  // @ts-expect-error There is no such status.
  void client.orders.list({ status: "OPEN", customer_id: customer });
}
