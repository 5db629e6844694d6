import type { paths } from "./schema.gen.js";
import { type CallOptions, type ChangeOptions, type Config, newKey, Transport, type Versioned } from "./transport.js";
import type * as t from "./types.js";

/** Selects what a list returns. */
type Filter<P extends keyof paths> = paths[P] extends { get: { parameters: { query?: infer Q } } }
  ? Omit<NonNullable<Q>, "cursor" | "limit">
  : never;

export type CustomerFilter = Filter<"/customers">;
export type ProductFilter = Filter<"/products">;
export type OrderFilter = Filter<"/orders">;
export type AuditFilter = Filter<"/audit">;
export type SalesQuery = NonNullable<paths["/reports/sales"]["get"]["parameters"]["query"]>;

/** A resource that was read. An update sends its etag; entries of a list have none, so updating them is unconditional. */
type Read<ID> = Versioned<{ readonly id: ID }>;

class Part {
  protected readonly transport: Transport;
  constructor(transport: Transport) {
    this.transport = transport;
  }
}

/** Calls the operations on customers. */
class Customers extends Part {
  /** Yields the customers, oldest first. */
  list(filter: CustomerFilter = {}, options?: CallOptions) {
    return this.transport.list("/customers", { query: filter }, options);
  }
  get(id: t.CustomerID, options?: CallOptions) {
    return this.transport.call("get", "/customers/{id}", { ids: { id }, keyed: false }, options);
  }
  /** Creates a customer. If another one has the e-mail address, the code is email_taken. */
  create(customer: t.CustomerInput, options?: ChangeOptions) {
    return this.transport.call("post", "/customers", { body: customer, keyed: true }, options);
  }
  /** Changes some fields of a customer. If it has changed since it was read, the code is precondition_failed. */
  update(customer: Read<t.CustomerID>, change: t.CustomerChange, options?: ChangeOptions) {
    const { id, etag } = customer;
    return this.transport.call("patch", "/customers/{id}", { ids: { id }, body: change, keyed: true }, { etag, ...options });
  }
  /** Deletes a customer. Its orders remain. */
  async delete(id: t.CustomerID, options?: ChangeOptions): Promise<void> {
    await this.transport.call("delete", "/customers/{id}", { ids: { id }, keyed: true }, options);
  }
}

/** Calls the operations on products and their stock. */
class Products extends Part {
  /** Yields the products, oldest first, without the archived ones unless the filter asks for them. */
  list(filter: ProductFilter = {}, options?: CallOptions) {
    return this.transport.list("/products", { query: filter }, options);
  }
  get(id: t.ProductID, options?: CallOptions) {
    return this.transport.call("get", "/products/{id}", { ids: { id }, keyed: false }, options);
  }
  /** Creates a product. If another one has the SKU, the code is sku_taken. */
  create(product: t.ProductInput, options?: ChangeOptions) {
    return this.transport.call("post", "/products", { body: product, keyed: true }, options);
  }
  /**
   * Changes some fields of a product. If it has changed since it was read, for example because an order took units, the code is
   * precondition_failed. Pass `{ id }` to add a stock_delta to whatever is there.
   */
  update(product: Read<t.ProductID>, change: t.ProductChange, options?: ChangeOptions) {
    const { id, etag } = product;
    return this.transport.call("patch", "/products/{id}", { ids: { id }, body: change, keyed: true }, { etag, ...options });
  }
  /** Yields the manual changes of a product's stock, newest first. */
  stockMovements(id: t.ProductID, options?: CallOptions) {
    return this.transport.list("/products/{id}/stock-movements", { ids: { id } }, options);
  }
}

/** Calls the operations on orders. */
class Orders extends Part {
  /** Yields the orders, newest first. With updated_since they are sorted by their last change, oldest first. */
  list(filter: OrderFilter = {}, options?: CallOptions) {
    return this.transport.list("/orders", { query: filter }, options);
  }
  get(id: t.OrderID, options?: CallOptions) {
    return this.transport.call("get", "/orders/{id}", { ids: { id }, keyed: false }, options);
  }
  /**
   * Places an order, at the prices of the catalogue, and takes its units from stock. If there are too few, the code is insufficient_stock,
   * `shortages` has the products, and no units are taken.
   */
  create(order: t.OrderInput, options?: ChangeOptions) {
    return this.transport.call("post", "/orders", { body: order, keyed: true }, options);
  }
  /** Confirms an order. One that is already confirmed is returned as it is; for a canceled one, the code is order_canceled. */
  confirm(id: t.OrderID, options?: ChangeOptions) {
    return this.transport.call("post", "/orders/{id}/confirm", { ids: { id }, body: {}, keyed: true }, options);
  }
  /**
   * Cancels an order and returns its units to stock. A confirmed one can be canceled for 10 minutes by default; later, the code is
   * cancel_window_over. One that is already canceled is returned as it is.
   */
  cancel(id: t.OrderID, reason = "", options?: ChangeOptions) {
    return this.transport.call("post", "/orders/{id}/cancel", { ids: { id }, body: reason === "" ? {} : { reason }, keyed: true }, options);
  }
  /** Places an order and confirms it, in one call. If it fails, the error's `step` says where. */
  async createAndConfirm(order: t.OrderInput, options: ChangeOptions = {}): Promise<t.ConfirmedData> {
    const key = options.key ?? newKey();
    const request = { body: { ...order, idempotency_key: key }, keyed: false, bodyKey: key } as const;
    return (await this.transport.call("post", "/orchestrator/create-and-confirm-order", request, options)).data;
  }
  /** Yields the changes of an order's status, oldest first. */
  history(id: t.OrderID, options?: CallOptions) {
    return this.transport.list("/orders/{id}/history", { ids: { id } }, options);
  }
}

/** Calls the reports, which are sums over orders and products. Each is kept for 10 seconds by default; as_of says when it was made. */
class Reports extends Part {
  /** Adds up the orders of a period by day, product or customer, without the canceled ones. */
  sales(query: SalesQuery = {}, options?: CallOptions) {
    return this.transport.call("get", "/reports/sales", { query, keyed: false }, options);
  }
  /** Counts the products and adds up their stock, without the archived ones. */
  stock(options?: CallOptions) {
    return this.transport.call("get", "/reports/stock", { keyed: false }, options);
  }
  /** Returns the numbers of orders by status and by age, and the oldest orders with the status CREATED. */
  orders(options?: CallOptions) {
    return this.transport.call("get", "/reports/orders", { keyed: false }, options);
  }
}

/** Calls the operations on users, the people who log in. Only administrators may call them. */
class Users extends Part {
  list(options?: CallOptions) {
    return this.transport.list("/users", {}, options);
  }
  get(id: t.UserID, options?: CallOptions) {
    return this.transport.call("get", "/users/{id}", { ids: { id }, keyed: false }, options);
  }
  /**
   * Creates a user without a password. With setup_token the person sets one, within 24 hours; see `account.setPassword`. The token is null
   * if another attempt of this call has returned it: then call `reset`.
   */
  create(user: t.UserInput, options?: ChangeOptions) {
    return this.transport.call("post", "/users", { body: user, keyed: true }, options);
  }
  /** Changes the name, the role or the state. If the user has changed since it was read, the code is precondition_failed. */
  update(user: Read<t.UserID>, change: t.UserChange, options?: ChangeOptions) {
    const { id, etag } = user;
    return this.transport.call("patch", "/users/{id}", { ids: { id }, body: change, keyed: true }, { etag, ...options });
  }
  /**
   * Returns a new setup token and ends all sessions of the user. The old password remains valid until the user sets a new one; disable the
   * user first if others may know it.
   */
  reset(id: t.UserID, options?: ChangeOptions) {
    return this.transport.call("post", "/users/{id}/reset", { ids: { id }, keyed: true }, options);
  }
}

/** Calls the operations on integrators, the programs that call with API keys. Only administrators may call them. */
class Integrators extends Part {
  list(options?: CallOptions) {
    return this.transport.list("/integrators", {}, options);
  }
  get(id: t.IntegratorID, options?: CallOptions) {
    return this.transport.call("get", "/integrators/{id}", { ids: { id }, keyed: false }, options);
  }
  /** Creates an integrator, without a key. */
  create(integrator: t.IntegratorInput, options?: ChangeOptions) {
    return this.transport.call("post", "/integrators", { body: integrator, keyed: true }, options);
  }
  /** Changes the name, the role or the state. If the integrator has changed since it was read, the code is precondition_failed. */
  update(integrator: Read<t.IntegratorID>, change: t.IntegratorChange, options?: ChangeOptions) {
    const { id, etag } = integrator;
    return this.transport.call("patch", "/integrators/{id}", { ids: { id }, body: change, keyed: true }, { etag, ...options });
  }
  /** Yields the API keys of an integrator, oldest first, without their secrets. */
  keys(id: t.IntegratorID, options?: CallOptions) {
    return this.transport.list("/integrators/{id}/keys", { ids: { id } }, options);
  }
  /** Creates an API key. Its `key` is shown only now; it is null if another attempt of this call has returned it. */
  createKey(id: t.IntegratorID, key: t.KeyInput, options?: ChangeOptions) {
    return this.transport.call("post", "/integrators/{id}/keys", { ids: { id }, body: key, keyed: true }, options);
  }
  async revokeKey(id: t.IntegratorID, key: t.KeyID, options?: ChangeOptions): Promise<void> {
    await this.transport.call("delete", "/integrators/{id}/keys/{key_id}", { ids: { id, key_id: key }, keyed: true }, options);
  }
}

/** Calls the operations on the caller, which is a user or an integrator. */
class Account extends Part {
  /** Returns the caller and its role. */
  me(options?: CallOptions) {
    return this.transport.call("get", "/auth/me", { keyed: false }, options);
  }
  /** Changes the password of the user who calls. It is not retried, and this client keeps logging in with the old one. */
  async changePassword(change: t.PasswordChange, options?: CallOptions): Promise<void> {
    await this.transport.call("post", "/auth/password", { body: change, keyed: false }, options);
  }
  /** Sets the password of a user with a setup token. The client needs no credentials. It is not retried. */
  async setPassword(setup: t.Setup, options?: CallOptions): Promise<void> {
    await this.transport.call("post", "/auth/setup", { body: setup, keyed: false, open: true }, options);
  }
  /** Yields the sessions in browsers of the user who calls. */
  sessions(options?: CallOptions) {
    return this.transport.list("/auth/sessions", {}, options);
  }
  /** Ends a session. It is not retried. */
  async endSession(id: t.SessionID, options?: CallOptions): Promise<void> {
    await this.transport.call("delete", "/auth/sessions/{id}", { ids: { id }, keyed: false }, options);
  }
}

/** The log of changes to users, integrators and keys. */
class Audit extends Part {
  /** Yields the entries, newest first. Only administrators may read them. */
  list(filter: AuditFilter = {}, options?: CallOptions) {
    return this.transport.list("/audit", { query: filter }, options);
  }
}

/** Calls Pedidos. Create one and share it. */
export class Pedidos {
  readonly customers: Customers;
  readonly products: Products;
  readonly orders: Orders;
  readonly reports: Reports;
  readonly users: Users;
  readonly integrators: Integrators;
  readonly account: Account;
  readonly audit: Audit;

  /** Sends no request. */
  constructor(config: Config) {
    const transport = new Transport(config);
    this.customers = new Customers(transport);
    this.products = new Products(transport);
    this.orders = new Orders(transport);
    this.reports = new Reports(transport);
    this.users = new Users(transport);
    this.integrators = new Integrators(transport);
    this.account = new Account(transport);
    this.audit = new Audit(transport);
  }
}
