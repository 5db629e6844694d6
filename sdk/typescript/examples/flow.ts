// From the login to the list of orders. PEDIDOS_URL is the address and PEDIDOS_PASSWORD the administrator's password.
import { Pedidos } from "@pedidos-hq/sdk";

const { PEDIDOS_URL: url = "", PEDIDOS_PASSWORD: password = "" } = process.env;
const pedidos = new Pedidos({ url, username: "admin", password });
const run = Date.now();

const customer = await pedidos.customers.create({ name: "Ferretería Norte", email: `compras-${run}@norte.example` });
const product = await pedidos.products.create({ sku: `SAW-${run}`, name: "Circular saw 190 mm", price_cents: 89900, stock: 25 });
const order = await pedidos.orders.create({ customer_id: customer.id, items: [{ product_id: product.id, qty: 3 }] });
await pedidos.orders.confirm(order.id);
for await (const { customer: { name }, status, total_cents } of pedidos.orders.list({ customer_id: customer.id })) {
  console.log(name, status, total_cents);
}
