// An importer of the orders of another system. It remembers nothing: if it is killed, start it again with the same file. Each order has its
// number there as its key, so it is placed once. The file ORDERS has the number, the customer's id, the SKU and the units of each order.
import { readFile } from "node:fs/promises";
import { type CustomerID, Pedidos, PedidosError } from "@pedidos-hq/sdk";

const { PEDIDOS_URL: url = "", PEDIDOS_KEY: apiKey = "", ORDERS: file = "" } = process.env;
const pedidos = new Pedidos({ url, apiKey });

for (const row of (await readFile(file, "utf8")).trim().split("\n")) {
  const [number = "", customer, sku = "", units] = row.split(",");
  for await (const product of pedidos.products.list({ sku: [sku] })) {
    const order = { customer_id: Number(customer) as CustomerID, items: [{ product_id: product.id, qty: Number(units) }] };
    try {
      await pedidos.orders.createAndConfirm(order, { key: `erp-${number}` });
    } catch (error) {
      if (!(error instanceof PedidosError && error.code === "insufficient_stock")) throw error;
      console.error(`order ${number}: only ${error.shortages[0]?.available} of ${units} are left`);
    }
  }
}
