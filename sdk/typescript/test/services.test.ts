// Calls the real services at PEDIDOS_URL, which the tests in e2e/sdk start, as the administrator.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type OrderID, Pedidos, PedidosError } from "../src/index.js";

const { PEDIDOS_URL: url, PEDIDOS_PASSWORD: password = "" } = process.env;
const skip = url === undefined ? "PEDIDOS_URL is not set" : false;
const connect = (custom?: typeof fetch) =>
  new Pedidos({ url: url ?? "http://unused.example", username: "admin", password, ...(custom === undefined ? {} : { fetch: custom }) });

/** Creates a customer and a product of this name, with 1000 units. */
async function stock(client: Pedidos, name: string) {
  const customer = await client.customers.create({ name, email: `${name}@acme.example` });
  const product = await client.products.create({ sku: name.toUpperCase(), name, price_cents: 89900, stock: 1000 });
  return { customer, product };
}

async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const entries: T[] = [];
  for await (const entry of list) entries.push(entry);
  return entries;
}

test("the flow", { skip }, async () => {
  const client = connect();
  const { customer, product } = await stock(client, "flow");
  const order = await client.orders.create({ customer_id: customer.id, items: [{ product_id: product.id, qty: 3 }] });
  const confirmed = await client.orders.confirm(order.id);
  assert.equal(confirmed.status, "CONFIRMED");
  assert.deepEqual((await all(client.orders.list({ customer_id: customer.id }))).map((o) => [o.id, o.total_cents]), [[order.id, 269700]]);
  assert.deepEqual((await all(client.orders.history(order.id))).map((e) => e.to), ["CREATED", "CONFIRMED"]);
  const done = await client.orders.createAndConfirm({ customer_id: customer.id, items: [{ product_id: product.id, qty: 2 }] });
  assert.equal((await client.orders.cancel(done.order.id, "the customer changed its mind")).cancel_reason, "the customer changed its mind");
  assert.equal((await client.products.get(product.id)).stock, 997);
  const sales = await client.reports.sales({ by: "product" });
  assert.ok(sales.data.some((row) => row.product?.id === product.id && row.units === 3));
});

test("lost answers, one order", { skip }, async () => {
  let answers = 0;
  const client = connect(async (input, init) => {
    const response = await fetch(input, init);
    if (init?.method === "POST" && new URL(String(input)).pathname === "/orders" && ++answers < 4) {
      await response.arrayBuffer();
      throw new TypeError("fetch failed");
    }
    return response;
  });
  const { customer, product } = await stock(client, "lost");
  const order = await client.orders.create({ customer_id: customer.id, items: [{ product_id: product.id, qty: 3 }] });
  assert.equal(answers, 4);
  assert.deepEqual((await all(client.orders.list({ customer_id: customer.id }))).map((o) => o.id), [order.id]);
  assert.equal((await client.products.get(product.id)).stock, 997);
});

test("a given key holds for another client", { skip }, async () => {
  const customer = { name: "ACME", email: "key@acme.example" };
  const first = await connect().customers.create(customer, { key: "crm-17" });
  assert.equal((await connect().customers.create(customer, { key: "crm-17" })).id, first.id);
  const error = await connect().customers.create({ ...customer, name: "Other" }, { key: "crm-17" }).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.status === 422 && error.code === "idempotency_key_reused");
});

test("errors", { skip }, async () => {
  const client = connect();
  const { customer, product } = await stock(client, "errors");
  const large = { customer_id: customer.id, items: [{ product_id: product.id, qty: 1001 }] };
  const short = await client.orders.create(large).catch((e: unknown) => e);
  assert.ok(short instanceof PedidosError);
  assert.equal(short.code, "insufficient_stock");
  assert.deepEqual(short.shortages, [{ product_id: product.id, requested: 1001, available: 1000 }]);
  assert.match(short.traceId ?? "", /^[0-9a-f]{32}$/);
  const invalid = await client.customers.create({ name: "ACME", email: "not an address" }).catch((e: unknown) => e);
  assert.ok(invalid instanceof PedidosError && invalid.code === "invalid_input");
  assert.deepEqual(invalid.fields.map((f) => f.field), ["email"]);
  const unknown = await client.orders.get((2 ** 53 - 1) as OrderID).catch((e: unknown) => e);
  assert.ok(unknown instanceof PedidosError && unknown.code === "order_not_found");
  const beyond = await client.orders.get(2 ** 53 as OrderID).catch((e: unknown) => e);
  assert.ok(beyond instanceof PedidosError && beyond.code === "invalid_input");
});

test("an update notices changes in between", { skip }, async () => {
  const client = connect();
  const { product } = await stock(client, "etag");
  await client.products.update({ id: product.id }, { stock_delta: 5 });
  const error = await client.products.update(product, { price_cents: 100 }).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.code === "precondition_failed");
  const changed = await client.products.update(await client.products.get(product.id), { price_cents: 100 });
  assert.deepEqual([changed.price_cents, changed.stock], [100, 1005]);
});

test("a token that is no longer accepted is replaced", { skip }, async () => {
  let logins = 0;
  const client = connect(async (input, init) => {
    const response = await fetch(input, init);
    if (new URL(String(input)).pathname !== "/auth/login" || ++logins > 1) return response;
    return Response.json({ ...(await response.json()) as object, access_token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" });
  });
  const who = await Promise.all(Array.from({ length: 8 }, () => client.account.me()));
  assert.deepEqual(new Set(who.map((me) => me.username)), new Set(["admin"]));
  assert.equal(logins, 2);
});

test("lists have all pages", { skip }, async () => {
  const client = connect();
  const { customer, product } = await stock(client, "pages");
  const ids: number[] = [];
  const order = { customer_id: customer.id, items: [{ product_id: product.id, qty: 1 }] };
  for (let n = 0; n < 205; n++) ids.push((await client.orders.create(order)).id);
  assert.deepEqual((await all(client.orders.list({ customer_id: customer.id }))).map((o) => o.id), ids.reverse());
  assert.deepEqual((await all(client.products.list({ ids: [product.id] }))).map((p) => p.stock), [795]);
});

test("an integrator calls with its key", { skip }, async () => {
  const client = connect();
  const integrator = await client.integrators.create({ name: "ERP", role: "viewer" });
  const key = await client.integrators.createKey(integrator.id, { name: "test" });
  const erp = new Pedidos({ url: url ?? "", apiKey: key.key ?? "" });
  assert.equal((await erp.account.me()).kind, "integrator");
  const error = await erp.products.create({ sku: "A", name: "A", price_cents: 1 }).catch((e: unknown) => e);
  assert.ok(error instanceof PedidosError && error.status === 403);
  await client.integrators.revokeKey(integrator.id, key.id);
  assert.ok((await all(client.integrators.keys(integrator.id)))[0]?.revoked_at);
});
