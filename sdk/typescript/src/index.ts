export { Pedidos } from "./client.js";
export type { AuditFilter, CustomerFilter, OrderFilter, ProductFilter, SalesQuery } from "./client.js";
export { PedidosError } from "./error.js";
export type { CallOptions, ChangeOptions, Config, Versioned } from "./transport.js";
export type * from "./types.js";
