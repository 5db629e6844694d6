// A nightly export, which reads only what has changed since the last one. It begins a minute earlier, as a change may become visible up to
// a minute after its time. The file EXPORT is replaced at the end, so that an export that is killed starts again where the last one ended.
import { readFile, rename, writeFile } from "node:fs/promises";
import { type Order, Pedidos } from "@pedidos-hq/sdk";

const { PEDIDOS_URL: url = "", PEDIDOS_KEY: apiKey = "", EXPORT: file = "" } = process.env;
const pedidos = new Pedidos({ url, apiKey });

/** The orders as they are, and the time of the last change among them. */
let all: { until: string; orders: Record<Order["id"], Order> } = { until: new Date(60_000).toISOString(), orders: {} };
try {
  all = JSON.parse(await readFile(file, "utf8")) as typeof all;
} catch (error) {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

let changed = 0;
const since = new Date(Date.parse(all.until) - 60_000).toISOString();
for await (const order of pedidos.orders.list({ updated_since: since })) {
  all.orders[order.id] = order;
  all.until = order.updated_at;
  changed++;
}
console.log(`${changed} orders have changed`);
await writeFile(`${file}.new`, JSON.stringify(all), { mode: 0o600 });
await rename(`${file}.new`, file);
