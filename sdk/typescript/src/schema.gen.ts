// Code generated from the contracts by tools/generate. DO NOT EDIT.

export interface paths {
    "/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the audit log
         * @description Returns a page of the log of changes to users, integrators, API keys, sessions and signing keys, newest first. Entries are never changed or deleted.
         */
        get: operations["listAudit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Log in
         * @description Exchanges a user name and a password for an access token. The response does not tell an unknown user, a wrong password and a disabled user apart. After several failures on an account or from an address (IPv4, or a /64 of IPv6), further attempts must wait, as Retry-After says. Programs use an API key instead.
         */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get the caller
         * @description Returns the user or integrator to whom the token belongs.
         */
        get: operations["getMe"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change the own password
         * @description Changes the password of the user who calls. The user's other sessions end.
         */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the own sessions
         * @description Returns a page of the sessions of the user who calls, oldest first. Sessions that have ended are omitted.
         */
        get: operations["listSessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * End a session
         * @description Ends a session of the user who calls. Access tokens that it was exchanged for remain valid for up to 5 minutes.
         */
        delete: operations["endSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/setup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Set a password with a setup token
         * @description Sets the password of the user whose setup token is in the body. The token works once, for 24 hours, and until a newer one is made. All sessions of the user end.
         */
        post: operations["setPassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/customers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List customers
         * @description Returns a page of customers, oldest first. Deleted customers are omitted.
         */
        get: operations["listCustomers"];
        put?: never;
        /**
         * Create a customer
         * @description Creates a customer. E-mail addresses are unique among customers, ignoring case.
         */
        post: operations["createCustomer"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/customers/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a customer
         * @description Returns a customer. A deleted customer is not found.
         */
        get: operations["getCustomer"];
        put?: never;
        post?: never;
        /**
         * Delete a customer
         * @description Deletes a customer. It is no longer listed and cannot place orders, except that orders-api may accept its orders until its cached copy expires (CUSTOMER_CACHE_TTL, 30 seconds by default). Its orders remain, and its e-mail address becomes available.
         */
        delete: operations["deleteCustomer"];
        options?: never;
        head?: never;
        /**
         * Update a customer
         * @description Updates the fields in the body and leaves the others unchanged.
         */
        patch: operations["updateCustomer"];
        trace?: never;
    };
    "/integrators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List integrators
         * @description Returns a page of integrators, oldest first.
         */
        get: operations["listIntegrators"];
        put?: never;
        /**
         * Create an integrator
         * @description Creates an integrator: a program that calls with API keys. Names are unique, ignoring case.
         */
        post: operations["createIntegrator"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/integrators/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an integrator
         * @description Returns an integrator.
         */
        get: operations["getIntegrator"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Update an integrator
         * @description Updates the fields in the body and leaves the others unchanged. The other services notice a change within 5 seconds. The keys of a disabled integrator are refused.
         */
        patch: operations["updateIntegrator"];
        trace?: never;
    };
    "/integrators/{id}/keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the API keys of an integrator
         * @description Returns a page of the API keys of an integrator, oldest first. Revoked and expired keys are included.
         */
        get: operations["listKeys"];
        put?: never;
        /**
         * Create an API key
         * @description Creates an API key. The key itself is returned only here and stored nowhere. A repeat with the same idempotency key returns no key; revoke it and create another one. Rotate a key by creating a second one before revoking the first: both are the same caller, with the same idempotency keys.
         */
        post: operations["createKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/integrators/{id}/keys/{key_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Revoke an API key
         * @description Revokes an API key for good. The other services refuse it within 5 seconds.
         */
        delete: operations["revokeKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orchestrator/create-and-confirm-order": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Place and confirm an order
         * @description Validates the customer, places the order and confirms it. The caller's token is passed on to orders-api. Without a token the response is 401, unless the service runs with ALLOW_ANONYMOUS=true. After a failure, retry the call with the same `idempotency_key` and the same order: it resumes where it stopped, and ends with the same single order and the same response. Every error has the shape of `Failure`: `error.step` is the failed step and `error.code` the problem code. If a placed order can never be confirmed, it is canceled, its units return to stock, and the response has it as `order`.
         */
        post: operations["createAndConfirmOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List orders
         * @description Returns a page of orders, newest first, including those of deleted customers. Orders of a product are sorted by id, highest first; with `updated_since`, orders are sorted by `updated_at`, oldest first. A text search, and a filter beside a product or `updated_since`, examine a bounded number of rows per page, so a page may have fewer than `limit` entries, or none, and still have a `next_cursor`.
         */
        get: operations["listOrders"];
        put?: never;
        /**
         * Place an order
         * @description Validates the customer, takes the prices from the catalogue, and takes the units from stock, all or nothing. Lines of the same product are merged. If stock is insufficient, the response is 409 and `shortages` lists every product concerned.
         */
        post: operations["createOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get an order
         * @description Returns an order with its lines, ordered by product id.
         */
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an order
         * @description Cancels an order and returns its units to stock. A CREATED order can be canceled at any time, a CONFIRMED order within 10 minutes of its confirmation (CANCEL_WINDOW); later, the response is 409. An order that is already CANCELED is returned unchanged. The body may be absent, empty or `{}`, or have a reason.
         */
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm an order
         * @description Changes a CREATED order to CONFIRMED. An order that is already CONFIRMED is returned unchanged; a CANCELED order returns 409. The body may be absent, empty or `{}`. An idempotency key is required, in either header.
         */
        post: operations["confirmOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/orders/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the history of an order
         * @description Returns a page of the status changes of an order, oldest first.
         */
        get: operations["listOrderHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List products
         * @description Returns a page of products, oldest first. Archived products are omitted, unless `archived` asks for them. The filters other than `ids` and `sku` examine a bounded number of rows per page, so a page may have fewer than `limit` entries, or none, and still have a `next_cursor`.
         */
        get: operations["listProducts"];
        put?: never;
        /**
         * Create a product
         * @description Creates a product with its initial stock. SKUs are unique and case-sensitive.
         */
        post: operations["createProduct"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a product
         * @description Returns a product with its current stock.
         */
        get: operations["getProduct"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Update a product
         * @description Updates the fields in the body and leaves the others unchanged. `stock` sets the number of units in stock, and `stock_delta` adds to it; a change is recorded as a stock movement. Send If-Match to get 412 if an order has changed the stock since the GET, and an idempotency key so that a retry adds a `stock_delta` once. A new price applies to later orders only. The role `operator` may change only the stock.
         */
        patch: operations["updateProduct"];
        trace?: never;
    };
    "/products/{id}/stock-movements": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List stock movements
         * @description Returns a page of the manual changes of a product's stock, newest first: the initial stock, and every PATCH that changed it. Units that orders take and return are recorded in the orders.
         */
        get: operations["listStockMovements"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Orders by status and age
         * @description Counts the orders of the last 30 days by status and age, and up to 10000 older orders that are still CREATED. Also returns the CREATED orders that wait longest. A report is kept for 10 seconds (REPORT_AGE).
         */
        get: operations["reportOrders"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/sales": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Sales by day, product or customer
         * @description Adds up the orders that were placed in a period and are not CANCELED. An order that is canceled later drops out of the figures. A report is kept for 10 seconds (REPORT_AGE) and returned to further requests; `as_of` says when it was made.
         */
        get: operations["reportSales"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/reports/stock": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stock and its value
         * @description Counts the products that are not archived, and adds up their stock. A report is kept for 10 seconds (REPORT_AGE).
         */
        get: operations["reportStock"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List users
         * @description Returns a page of users, oldest first.
         */
        get: operations["listUsers"];
        put?: never;
        /**
         * Create a user
         * @description Creates a user without a password. The response has a setup token, with which the person sets the password at `POST /auth/setup` within 24 hours. User names are unique, ignoring case, and never reused. A repeat with the same idempotency key returns no setup token; make another one at `POST /users/{id}/reset`.
         */
        post: operations["createUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/users/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a user
         * @description Returns a user.
         */
        get: operations["getUser"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Update a user
         * @description Updates the fields in the body and leaves the others unchanged. If the role changes or the user is disabled, all sessions of the user end. The last active user with the role admin keeps role and state.
         */
        patch: operations["updateUser"];
        trace?: never;
    };
    "/users/{id}/reset": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Let a user set a new password
         * @description Returns a setup token, with which the person sets a new password at `POST /auth/setup` within 24 hours. Earlier setup tokens of the user become invalid, and all sessions of the user end. The current password remains valid until then; disable the user if others may know it.
         */
        post: operations["resetUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AuditChange: {
            field: string;
            from: string | null;
            to: string | null;
        };
        AuditEntry: {
            /**
             * @description What was done, such as user.created.
             * @example user.changed
             */
            action: string;
            /**
             * @description The caller that made the change: `user:` and the user name, `integrator:` and its id, `command` for the command line, `start` for the start of the service.
             * @example user:admin
             */
            actor: string;
            /** @description The name of the caller at that time. */
            actor_name: string | null;
            /** @description The address of the client. */
            address: string | null;
            changes: components["schemas"]["AuditChange"][];
            /** @description X-Correlation-Id of the request. */
            correlation_id: string | null;
            created_at: components["schemas"]["Time"];
            id: components["schemas"]["ID"];
            /**
             * @description `user:` and the user name, `integrator:`, `key:` or `session:` and the id, or `signing_key:` and the kid.
             * @example user:ana
             */
            target: string;
        };
        AuditPage: {
            data: components["schemas"]["AuditEntry"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * @description The caller who made the change: `user:` and the user name, `integrator:` and its id, `service` for the service token, `anonymous` for a caller without a token, `sweeper` for the service itself, `seed` for `pedidos seed`. Null for changes older than the history.
         * @example user:admin
         */
        Caller: string | null;
        /** @description An id chosen by the caller. Null and the empty string count as absent. */
        CallerCorrelationId: string | null;
        /**
         * Format: int64
         * @description The id of the user or integrator who made the change; null if it is not known.
         * @example 1
         */
        CallerID: number | null;
        /**
         * @description The name of the user or integrator at the time of the change; null if it is not known.
         * @example Administrator
         */
        CallerName: string | null;
        Cancellation: {
            /**
             * @description Why the order is canceled.
             * @example the customer changed its mind
             */
            reason?: string;
        };
        /**
         * Format: int64
         * @description An amount of money in cents. At most 2^53 - 1, which every JSON parser represents exactly.
         * @example 129900
         */
        Cents: number;
        /** @description An object without fields. */
        Confirmation: Record<string, never>;
        Confirmed: {
            correlationId: components["schemas"]["CorrelationId"];
            data: components["schemas"]["ConfirmedData"];
            /** @enum {boolean} */
            success: true;
        };
        /** @description The customer at the time the order was placed. */
        ConfirmedCustomer: {
            email: string;
            id: components["schemas"]["CustomerID"];
            name: string;
            phone: string | null;
        };
        ConfirmedData: {
            customer: components["schemas"]["ConfirmedCustomer"];
            order: components["schemas"]["ConfirmedOrder"];
        };
        ConfirmedLine: {
            /** @description The name of the product at the time the order was placed. */
            name: string;
            product_id: components["schemas"]["ProductID"];
            /**
             * Format: int64
             * @description Units.
             */
            qty: number;
            /** @description The SKU of the product. */
            sku: string;
            subtotal_cents: components["schemas"]["Cents"];
            unit_price_cents: components["schemas"]["Cents"];
        };
        ConfirmedOrder: {
            confirmed_at: components["schemas"]["Time"];
            created_at: components["schemas"]["Time"];
            customer_id: components["schemas"]["CustomerID"];
            id: components["schemas"]["OrderID"];
            items: components["schemas"]["ConfirmedLine"][];
            /** @enum {string} */
            status: "CONFIRMED";
            total_cents: components["schemas"]["Cents"];
        };
        CorrelationId: string;
        /**
         * Format: int64
         * @description A number of orders or products.
         * @example 3
         */
        Count: number;
        Credentials: {
            /** Format: password */
            password: string;
            username: string;
        };
        Customer: {
            created_at: components["schemas"]["Time"];
            email: components["schemas"]["Email"];
            id: components["schemas"]["CustomerID"];
            name: components["schemas"]["Name"];
            phone: components["schemas"]["Phone"];
            updated_at: components["schemas"]["Time"];
        };
        CustomerChange: {
            email?: components["schemas"]["Email"];
            name?: components["schemas"]["Name"];
            /**
             * @description A phone number, in any notation. Null and the empty string remove it.
             * @example +54 11 5555-0101
             */
            phone?: string | null;
        };
        /**
         * Format: int64
         * @description The id of a customer.
         */
        CustomerID: number & {
            readonly __idOf: "Customer";
        };
        CustomerInput: {
            email: components["schemas"]["Email"];
            name: components["schemas"]["Name"];
            phone?: components["schemas"]["PhoneInput"];
        };
        CustomerPage: {
            data: components["schemas"]["Customer"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @description A day. */
        Day: string;
        /** @description A day (UTC) or a time (RFC 3339). */
        DayOrTime: string;
        /**
         * @description A name for people, without surrounding white space.
         * @example Ana Pérez
         */
        DisplayName: string;
        /**
         * @description The e-mail address, unique among customers, ignoring case.
         * @example compras@acme.example
         */
        Email: string;
        /** @description An error of the order call: a problem document with `success`, `correlationId` and `error` added. If the error is final, a retry returns the same document, including its `trace_id`. */
        Failure: {
            code: components["schemas"]["ProblemCode"];
            correlationId: components["schemas"]["CorrelationId"];
            /** @example There is no order 7. */
            detail: string;
            error: components["schemas"]["StepError"];
            errors?: components["schemas"]["FieldError"][];
            order?: components["schemas"]["WithdrawnOrder"];
            shortages?: components["schemas"]["Shortage"][];
            /**
             * Format: int32
             * @example 404
             */
            status: number;
            /** @enum {boolean} */
            success: false;
            /** @example Not found */
            title: string;
            /** @example 4bf92f3577b34da6a3ce929d0e0e4736 */
            trace_id: string;
            /** @example urn:pedidos:problem:not_found */
            type: string;
        };
        /**
         * @example {
         *       "field": "items[0].qty",
         *       "message": "must be at least 1"
         *     }
         */
        FieldError: {
            /** @description The invalid field: a parameter, a header, or a path into the body. */
            field: string;
            /** @description What is wrong with the field. */
            message: string;
        };
        /**
         * Format: int64
         * @description The initial reorder level in units; 0 if omitted.
         * @example 10
         */
        FirstReorderLevel: number;
        /**
         * Format: int64
         * @description The initial units in stock; 0 if omitted.
         * @example 50
         */
        FirstStock: number;
        /**
         * Format: int64
         * @description An id. Opaque and never reused. At most 2^53 - 1, which every JSON parser represents exactly.
         */
        ID: number;
        Integrator: {
            created_at: components["schemas"]["Time"];
            id: components["schemas"]["IntegratorID"];
            name: components["schemas"]["DisplayName"];
            role: components["schemas"]["Role"];
            state: components["schemas"]["State"];
            updated_at: components["schemas"]["Time"];
        };
        IntegratorChange: {
            name?: components["schemas"]["DisplayName"];
            role?: components["schemas"]["Role"];
            state?: components["schemas"]["State"];
        };
        /**
         * Format: int64
         * @description The id of an integrator.
         */
        IntegratorID: number & {
            readonly __idOf: "Integrator";
        };
        IntegratorInput: {
            name: components["schemas"]["DisplayName"];
            role: components["schemas"]["Role"];
        };
        IntegratorPage: {
            data: components["schemas"]["Integrator"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @description An API key of an integrator. */
        Key: {
            created_at: components["schemas"]["Time"];
            /**
             * @description The caller who created the key.
             * @example user:admin
             */
            created_by: string;
            expires_at: components["schemas"]["NullableTime"];
            id: components["schemas"]["KeyID"];
            integrator_id: components["schemas"]["IntegratorID"];
            /**
             * Format: date-time
             * @description The minute of the last use (UTC); null if the key was never used.
             */
            last_used_at: string | null;
            name: components["schemas"]["DisplayName"];
            /**
             * @description The start of the key, by which it is recognized.
             * @example ped_17_
             */
            prefix: string;
            revoked_at: components["schemas"]["NullableTime"];
        };
        /**
         * Format: int64
         * @description The id of a key.
         */
        KeyID: number & {
            readonly __idOf: "Key";
        };
        KeyInput: {
            /**
             * Format: date-time
             * @description When the key expires (RFC 3339), in the future. Without it, the key does not expire.
             */
            expires_at?: string;
            name: components["schemas"]["DisplayName"];
        };
        KeyPage: {
            data: components["schemas"]["Key"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        KeyText: string;
        Me: {
            /**
             * @description The caller as history and audit log name it.
             * @example user:ana
             */
            caller: string;
            id: components["schemas"]["ID"];
            /** @enum {string} */
            kind: "user" | "integrator";
            name: components["schemas"]["DisplayName"];
            role: components["schemas"]["Role"];
            /** @description Null for an integrator. */
            username: string | null;
        };
        /**
         * @description The business name, without surrounding white space.
         * @example ACME Ferretería
         */
        Name: string;
        NewKey: {
            created_at: components["schemas"]["Time"];
            /**
             * @description The caller who created the key.
             * @example user:admin
             */
            created_by: string;
            expires_at: components["schemas"]["NullableTime"];
            id: components["schemas"]["KeyID"];
            integrator_id: components["schemas"]["IntegratorID"];
            /** @description The API key, for the Authorization header. Null in a repeated response. */
            key: string | null;
            /**
             * Format: date-time
             * @description The minute of the last use (UTC); null if the key was never used.
             */
            last_used_at: string | null;
            name: components["schemas"]["DisplayName"];
            /**
             * @description The start of the key, by which it is recognized.
             * @example ped_17_
             */
            prefix: string;
            revoked_at: components["schemas"]["NullableTime"];
        };
        /**
         * Format: password
         * @description At least 10 characters, of any kind. The most common passwords are refused.
         */
        NewPassword: string;
        /** @description The cursor of the next page; null on the last page. */
        NextCursor: string | null;
        /**
         * Format: date-time
         * @description A time (RFC 3339) in UTC, with microseconds; null until it happens.
         * @example 2026-01-15T09:30:00.123456Z
         */
        NullableTime: string | null;
        Order: {
            cancel_reason: string | null;
            canceled_at: components["schemas"]["NullableTime"];
            confirmed_at: components["schemas"]["NullableTime"];
            created_at: components["schemas"]["Time"];
            customer: components["schemas"]["OrderCustomer"];
            customer_id: components["schemas"]["CustomerID"];
            id: components["schemas"]["OrderID"];
            /** @description The order lines, ordered by product id. */
            items: components["schemas"]["OrderLine"][];
            status: components["schemas"]["OrderStatus"];
            total_cents: components["schemas"]["Cents"];
            updated_at: components["schemas"]["Time"];
        };
        /** @description Numbers of orders by the time since they were placed: less than an hour, a day, 7 days, 30 days, and older. Each order is counted once; older orders are counted only if they are CREATED. */
        OrderAges: {
            day: components["schemas"]["Count"];
            hour: components["schemas"]["Count"];
            month: components["schemas"]["Count"];
            /**
             * Format: int64
             * @description CREATED orders of 30 days and more; 10000 means 10000 or more. Null for the other statuses.
             */
            older: number | null;
            week: components["schemas"]["Count"];
        };
        /** @description The customer at the time the order was placed. Later changes to the customer do not affect it. */
        OrderCustomer: {
            email: string;
            name: string;
            phone: string | null;
        };
        /** @description A change of an order's status. */
        OrderEvent: {
            caller: components["schemas"]["Caller"];
            caller_id: components["schemas"]["CallerID"];
            caller_name: components["schemas"]["CallerName"];
            created_at: components["schemas"]["Time"];
            /**
             * @description The previous status; null when the order is placed.
             * @enum {string|null}
             */
            from: "CREATED" | "CONFIRMED" | null;
            reason: components["schemas"]["Reason"];
            to: components["schemas"]["OrderStatus"];
        };
        OrderEventPage: {
            data: components["schemas"]["OrderEvent"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /**
         * Format: int64
         * @description The id of an order.
         */
        OrderID: number & {
            readonly __idOf: "Order";
        };
        OrderInput: {
            customer_id: components["schemas"]["CustomerID"];
            /** @description The order lines. Lines of the same product are merged. */
            items: components["schemas"]["OrderLineInput"][];
        };
        /** @description An order line, with the SKU, name and price of the product at the time the order was placed. In orders placed before lines had names, the name is the current one. */
        OrderLine: {
            name: components["schemas"]["ProductName"];
            product_id: components["schemas"]["ProductID"];
            /**
             * Format: int64
             * @description Units.
             */
            qty: number;
            sku: components["schemas"]["SKU"];
            subtotal_cents: components["schemas"]["Cents"];
            unit_price_cents: components["schemas"]["PriceCents"];
        };
        OrderLineInput: {
            product_id: components["schemas"]["ProductID"];
            /**
             * Format: int64
             * @description Units.
             * @example 2
             */
            qty: number;
        };
        OrderPage: {
            data: components["schemas"]["Order"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        OrderRequest: {
            correlation_id?: components["schemas"]["CallerCorrelationId"];
            customer_id: components["schemas"]["CustomerID"];
            /**
             * @description A key for this order, chosen by the caller; a retry must have the same one. The order is placed with the Idempotency-Key `create-and-confirm.create.` and the SHA-256, in lower-case hexadecimal, of `create`, a line feed and this key: the same caller who places the same order with that key at orders-api gets the same order.
             * @example erp-2026-000123
             */
            idempotency_key: string;
            /** @description The order lines. Lines of the same product are merged. */
            items: components["schemas"]["OrderRequestLine"][];
        };
        OrderRequestLine: {
            product_id: components["schemas"]["ProductID"];
            /**
             * Format: int64
             * @description Units.
             * @example 2
             */
            qty: number;
        };
        /**
         * @description The status of an order.
         * @enum {string}
         */
        OrderStatus: "CREATED" | "CONFIRMED" | "CANCELED";
        OrdersReport: {
            as_of: components["schemas"]["Time"];
            /** @description One entry per status. */
            data: components["schemas"]["StatusCount"][];
            /** @description The CREATED orders that wait longest, up to 10. */
            oldest: components["schemas"]["Order"][];
        };
        PasswordChange: {
            /**
             * Format: password
             * @description The current password.
             */
            current: string;
            new: components["schemas"]["NewPassword"];
        };
        /**
         * @description The phone number, in any notation; null if there is none.
         * @example +54 11 5555-0101
         */
        Phone: string | null;
        /**
         * @description A phone number, in any notation. Null and the empty string mean none.
         * @example +54 11 5555-0101
         */
        PhoneInput: string | null;
        /**
         * Format: int64
         * @description The price of one unit in cents.
         * @example 129900
         */
        PriceCents: number;
        /** @description An error (RFC 9457). `code` is for programs, `detail` for people, and `trace_id` identifies the request in the logs. `errors` lists the invalid fields and `shortages` the products with insufficient stock, if there are any. */
        Problem: {
            code: components["schemas"]["ProblemCode"];
            /** @example There is no order 7. */
            detail: string;
            errors?: components["schemas"]["FieldError"][];
            shortages?: components["schemas"]["Shortage"][];
            /**
             * Format: int32
             * @example 404
             */
            status: number;
            /** @example Not found */
            title: string;
            /** @example 4bf92f3577b34da6a3ce929d0e0e4736 */
            trace_id: string;
            /** @example urn:pedidos:problem:not_found */
            type: string;
        };
        /**
         * @description The kind of error, stable across versions. `x-extensible-enum` lists the codes of this version. Later versions may add codes; treat an unknown code by its HTTP status.
         * @example not_found
         */
        ProblemCode: "invalid_input" | "unauthorized" | "invalid_credentials" | "forbidden" | "not_found" | "customer_not_found" | "product_not_found" | "order_not_found" | "user_not_found" | "session_not_found" | "integrator_not_found" | "key_not_found" | "method_not_allowed" | "email_taken" | "sku_taken" | "username_taken" | "integrator_name_taken" | "last_admin" | "insufficient_stock" | "product_archived" | "order_canceled" | "cancel_window_over" | "request_in_progress" | "precondition_failed" | "body_too_large" | "unsupported_media_type" | "expectation_failed" | "misdirected_request" | "headers_too_large" | "idempotency_key_reused" | "total_too_large" | "too_many_requests" | "internal" | "not_implemented" | "unavailable" | "customers_unavailable" | "orders_unavailable" | "http_version_not_supported" | (string & {});
        Product: {
            archived_at: components["schemas"]["NullableTime"];
            created_at: components["schemas"]["Time"];
            id: components["schemas"]["ProductID"];
            name: components["schemas"]["ProductName"];
            price_cents: components["schemas"]["PriceCents"];
            reorder_level: components["schemas"]["ReorderLevel"];
            sku: components["schemas"]["SKU"];
            /**
             * Format: int64
             * @description Units in stock.
             * @example 50
             */
            stock: number;
            updated_at: components["schemas"]["Time"];
        };
        ProductChange: {
            /** @description Whether the product is archived. An archived product cannot be ordered and is omitted from lists, unless they ask for it; its orders keep it. */
            archived?: boolean;
            /**
             * @description The product name, without surrounding white space.
             * @example Cordless drill 18 V
             */
            name?: string;
            /**
             * Format: int64
             * @description The price of one unit in cents.
             * @example 129900
             */
            price_cents?: number;
            /**
             * @description Why the stock changes, for the stock movement. Allowed only together with `stock` or `stock_delta`.
             * @example delivery of May 4
             */
            reason?: string;
            /**
             * Format: int64
             * @description Units; a product with fewer units in stock is low. 0 for a product that is never low.
             * @example 10
             */
            reorder_level?: number;
            stock?: components["schemas"]["Stock"];
            /**
             * Format: int64
             * @description Units to add to the stock, or to take from it if negative. The stock must not become negative or exceed 1000000000. Not allowed together with `stock`.
             * @example 12
             */
            stock_delta?: number;
        };
        /**
         * Format: int64
         * @description The id of a product.
         */
        ProductID: number & {
            readonly __idOf: "Product";
        };
        ProductInput: {
            name: components["schemas"]["ProductName"];
            price_cents: components["schemas"]["PriceCents"];
            reorder_level?: components["schemas"]["FirstReorderLevel"];
            sku: components["schemas"]["SKU"];
            stock?: components["schemas"]["FirstStock"];
        };
        /**
         * @description The product name, without surrounding white space.
         * @example Cordless drill 18 V
         */
        ProductName: string;
        ProductPage: {
            data: components["schemas"]["Product"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        /** @description Why the change was made; null if no reason was given. */
        Reason: string | null;
        /**
         * Format: int64
         * @description Units; a product with fewer units in stock is low. 0 for a product that is never low.
         * @example 10
         */
        ReorderLevel: number;
        /**
         * @description What the holder may do: `viewer` reads; `operator` also places, confirms and cancels orders and adjusts stock; `manager` also changes products and customers; `admin` also manages users and integrators.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "manager" | "admin";
        /**
         * @description The stock keeping unit, case-sensitive.
         * @example DRILL-18V
         */
        SKU: string;
        /** @description The customer, with the name of its last order in the period; null except in sales by customer. */
        SalesCustomer: {
            id: components["schemas"]["CustomerID"];
            name: string;
        } | null;
        SalesFigures: {
            orders: components["schemas"]["Count"];
            total_cents: components["schemas"]["Cents"];
            units: components["schemas"]["Units"];
        };
        /** @description The product, with its current name; null except in sales by product. */
        SalesProduct: {
            id: components["schemas"]["ProductID"];
            name: components["schemas"]["ProductName"];
            sku: components["schemas"]["SKU"];
        } | null;
        SalesReport: {
            as_of: components["schemas"]["Time"];
            data: components["schemas"]["SalesRow"][];
            from: components["schemas"]["Day"];
            /** @description The time zone of the days. */
            time_zone: string;
            to: components["schemas"]["Day"];
            total: components["schemas"]["SalesFigures"];
        };
        SalesRow: {
            customer: components["schemas"]["SalesCustomer"];
            /**
             * @description The day; null except in sales by day.
             * @example 2026-01-15
             */
            day: string | null;
            orders: components["schemas"]["Count"];
            product: components["schemas"]["SalesProduct"];
            total_cents: components["schemas"]["Cents"];
            units: components["schemas"]["Units"];
        };
        Session: {
            /** @description The address from which the session was started. */
            address: string;
            created_at: components["schemas"]["Time"];
            /** @description Whether the request belongs to this session. */
            current: boolean;
            expires_at: components["schemas"]["Time"];
            id: components["schemas"]["SessionID"];
            /**
             * Format: date-time
             * @description The minute of the last use (UTC).
             */
            last_used_at: string;
            /** @description The browser that started the session. */
            user_agent: string | null;
        };
        /**
         * Format: int64
         * @description The id of a session.
         */
        SessionID: number & {
            readonly __idOf: "Session";
        };
        SessionPage: {
            data: components["schemas"]["Session"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        Setup: {
            password: components["schemas"]["NewPassword"];
            /** @description The setup token. */
            token: string;
        };
        /**
         * @description A product with fewer units in stock than the order requests.
         * @example {
         *       "available": 2,
         *       "product_id": 1,
         *       "requested": 5
         *     }
         */
        Shortage: {
            /**
             * Format: int64
             * @description Units in stock.
             */
            available: number;
            product_id: components["schemas"]["ProductID"];
            /**
             * Format: int64
             * @description Units requested.
             */
            requested: number;
        };
        /**
         * @description A disabled user or integrator is refused everywhere.
         * @enum {string}
         */
        State: "active" | "disabled";
        /** @description The orders of a status. `orders` is the sum of `ages`: the orders of the last 30 days and, if they are CREATED, older ones. */
        StatusCount: {
            ages: components["schemas"]["OrderAges"];
            orders: components["schemas"]["Count"];
            status: components["schemas"]["OrderStatus"];
        };
        /**
         * @description The failed step. It is validate_input if no step was reached, as for an unknown path.
         * @enum {string}
         */
        Step: "validate_input" | "validate_customer" | "create_order" | "confirm_order";
        StepError: {
            code: components["schemas"]["ProblemCode"];
            /** @description The invalid fields. */
            errors?: components["schemas"]["FieldError"][];
            message: string;
            /** @description The products with insufficient stock. */
            shortages?: components["schemas"]["Shortage"][];
            step: components["schemas"]["Step"];
        };
        /**
         * Format: int64
         * @description Units in stock.
         * @example 50
         */
        Stock: number;
        /**
         * Format: int64
         * @description Units in stock; null for movements older than this field.
         * @example 48
         */
        StockLevel: number | null;
        StockMovement: {
            caller: components["schemas"]["Caller"];
            caller_id: components["schemas"]["CallerID"];
            caller_name: components["schemas"]["CallerName"];
            created_at: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description `to` minus `from`, in units.
             * @example 12
             */
            delta: number;
            from: components["schemas"]["StockLevel"];
            id: components["schemas"]["ID"];
            reason: components["schemas"]["Reason"];
            to: components["schemas"]["StockLevel"];
        };
        StockMovementPage: {
            data: components["schemas"]["StockMovement"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        StockReport: {
            as_of: components["schemas"]["Time"];
            /**
             * Format: int64
             * @description Products with fewer units in stock than their reorder level.
             */
            low: number;
            /**
             * Format: int64
             * @description Products without units in stock.
             */
            out: number;
            products: components["schemas"]["Count"];
            /**
             * Format: int64
             * @description Units in stock of all products; at most 2^53 - 1.
             */
            units: number;
            /**
             * Format: int64
             * @description The stock at the current prices, in cents; at most 2^53 - 1.
             */
            value_cents: number;
        };
        /**
         * Format: date-time
         * @description A time (RFC 3339) in UTC, with microseconds.
         * @example 2026-01-15T09:30:00.123456Z
         */
        Time: string;
        Token: {
            /** @description A JWT. */
            access_token: string;
            /**
             * Format: int32
             * @description Lifetime in seconds. The services tolerate a clock skew of 60 seconds.
             */
            expires_in: number;
            /** @enum {string} */
            token_type: "Bearer";
        };
        /**
         * Format: int64
         * @description Units; null except in sales by product.
         * @example 7
         */
        Units: number | null;
        User: {
            created_at: components["schemas"]["Time"];
            id: components["schemas"]["UserID"];
            last_login_at: components["schemas"]["NullableTime"];
            name: components["schemas"]["DisplayName"];
            /** @description Whether the user has a password. */
            password_set: boolean;
            role: components["schemas"]["Role"];
            state: components["schemas"]["State"];
            updated_at: components["schemas"]["Time"];
            username: components["schemas"]["Username"];
        };
        UserChange: {
            name?: components["schemas"]["DisplayName"];
            role?: components["schemas"]["Role"];
            state?: components["schemas"]["State"];
        };
        /**
         * Format: int64
         * @description The id of a user.
         */
        UserID: number & {
            readonly __idOf: "User";
        };
        UserInput: {
            name: components["schemas"]["DisplayName"];
            role: components["schemas"]["Role"];
            username: components["schemas"]["Username"];
        };
        UserPage: {
            data: components["schemas"]["User"][];
            next_cursor: components["schemas"]["NextCursor"];
        };
        UserSetup: {
            created_at: components["schemas"]["Time"];
            id: components["schemas"]["UserID"];
            last_login_at: components["schemas"]["NullableTime"];
            name: components["schemas"]["DisplayName"];
            /** @description Whether the user has a password. */
            password_set: boolean;
            role: components["schemas"]["Role"];
            setup_expires_at: components["schemas"]["Time"];
            /** @description Sets the password at `POST /auth/setup`, once. Null in a repeated response. */
            setup_token: string | null;
            state: components["schemas"]["State"];
            updated_at: components["schemas"]["Time"];
            username: components["schemas"]["Username"];
        };
        /**
         * @description The name that the user logs in with. Unique, ignoring case.
         * @example ana
         */
        Username: string;
        /** @description The order that was placed, and canceled because it cannot be confirmed. Its units are back in stock. */
        WithdrawnOrder: {
            canceled_at: components["schemas"]["Time"];
            id: components["schemas"]["OrderID"];
            /** @enum {string} */
            status: "CANCELED";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    listAudit: {
        parameters: {
            query?: {
                /** @description Returns only entries of this caller. */
                actor?: string;
                /** @description Returns only entries with this action. */
                action?: string;
                /** @description Returns only entries at or after this time (RFC 3339), or on or after this day (UTC). */
                from?: components["schemas"]["DayOrTime"];
                /** @description Returns only entries before this time (RFC 3339), or on or before this day (UTC). Must not be before `from`. */
                to?: components["schemas"]["DayOrTime"];
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditPage"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Credentials"];
            };
        };
        responses: {
            /** @description The access token, for the Authorization header of other requests. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Token"];
                };
            };
        };
    };
    getMe: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The caller. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description The password is changed. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listSessions: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of sessions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SessionPage"];
                };
            };
        };
    };
    endSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["SessionID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The session has ended. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    setPassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Setup"];
            };
        };
        responses: {
            /** @description The password is set. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    listCustomers: {
        parameters: {
            query?: {
                /** @description Returns only customers whose name or e-mail address contains this text, such as acme. Case and accents are ignored; `%` and `_` match themselves. A search examines a bounded number of rows per page, so a page may have fewer than `limit` entries, or none, and still have a `next_cursor`. */
                search?: string;
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of customers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CustomerPage"];
                };
            };
        };
    };
    createCustomer: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CustomerInput"];
            };
        };
        responses: {
            /** @description The created customer. */
            201: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
        };
    };
    getCustomer: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["CustomerID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The customer. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
        };
    };
    deleteCustomer: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["CustomerID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The customer is deleted. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    updateCustomer: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["CustomerID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CustomerChange"];
            };
        };
        responses: {
            /** @description The updated customer. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Customer"];
                };
            };
        };
    };
    listIntegrators: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of integrators. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IntegratorPage"];
                };
            };
        };
    };
    createIntegrator: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IntegratorInput"];
            };
        };
        responses: {
            /** @description The created integrator. */
            201: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Integrator"];
                };
            };
        };
    };
    getIntegrator: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["IntegratorID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The integrator. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Integrator"];
                };
            };
        };
    };
    updateIntegrator: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["IntegratorID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["IntegratorChange"];
            };
        };
        responses: {
            /** @description The updated integrator. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Integrator"];
                };
            };
        };
    };
    listKeys: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["IntegratorID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of API keys. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["KeyPage"];
                };
            };
        };
    };
    createKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["IntegratorID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["KeyInput"];
            };
        };
        responses: {
            /** @description The created API key. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewKey"];
                };
            };
        };
    };
    revokeKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["IntegratorID"];
                /** @description The id of the API key. */
                key_id: components["schemas"]["KeyID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The API key is revoked. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    createAndConfirmOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description Identifies the call in the logs of all services, such as erp-run-42. `correlation_id` in the body takes precedence. Without either, the id is derived from the idempotency key, so that a retry has the same one. An empty value counts as absent. */
                "X-Correlation-Id"?: components["schemas"]["CallerCorrelationId"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderRequest"];
            };
        };
        responses: {
            /** @description The order is confirmed. A retry returns the same response. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Confirmed"];
                };
            };
        };
    };
    listOrders: {
        parameters: {
            query?: {
                /** @description Returns the order with this number (id); if there is none, the orders of the product with this SKU; if there is none, the orders whose customer had this text, such as acme, in its name or e-mail address when the order was placed. Case and accents of the text are ignored; `%` and `_` match themselves. */
                search?: string;
                /** @description Returns only orders with this status. */
                status?: components["schemas"]["OrderStatus"];
                /** @description Returns only orders of this customer. */
                customer_id?: components["schemas"]["CustomerID"];
                /** @description Returns only orders of this product. */
                product_id?: components["schemas"]["ProductID"];
                /** @description Returns only orders created, confirmed or canceled at or after this time (RFC 3339), such as 2026-01-15T09:30:00Z, or on or after this day (UTC). A change becomes visible up to a minute after its time: to miss none, begin each read a minute before the last `updated_at` of the read before. */
                updated_since?: components["schemas"]["DayOrTime"];
                /** @description Returns only orders created at or after this time (RFC 3339), such as 2026-01-15T09:30:00Z, or on or after this day (UTC), such as 2026-01-01. */
                from?: components["schemas"]["DayOrTime"];
                /** @description Returns only orders created before this time (RFC 3339), or on or before this day (UTC): from=2026-01-01 and to=2026-01-31 return all orders of January. Must not be before `from`. */
                to?: components["schemas"]["DayOrTime"];
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of orders. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderPage"];
                };
            };
        };
    };
    createOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["OrderInput"];
            };
        };
        responses: {
            /** @description The placed order. Its units are taken from stock. */
            201: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["OrderID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The order. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["OrderID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Cancellation"];
            };
        };
        responses: {
            /** @description The canceled order. Its units are back in stock. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    confirmOrder: {
        parameters: {
            query?: never;
            header: {
                /** @description A key for this confirmation, chosen by the caller, as for every change. It is required here, either in this header or in X-Idempotency-Key. */
                "Idempotency-Key": components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["OrderID"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["Confirmation"];
            };
        };
        responses: {
            /** @description The confirmed order. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
        };
    };
    listOrderHistory: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["OrderID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of status changes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrderEventPage"];
                };
            };
        };
    };
    listProducts: {
        parameters: {
            query?: {
                /** @description Returns only products with one of these ids, separated by commas, such as 1,2. */
                ids?: components["schemas"]["ProductID"][];
                /** @description Returns only products with one of these SKUs, separated by commas, such as DRILL-18V,SAW-190. */
                sku?: components["schemas"]["SKU"][];
                /** @description Returns only products with fewer units in stock than this. */
                stock_below?: number;
                /** @description If true, returns only products with fewer units in stock than their reorder level. */
                low_stock?: boolean;
                /** @description Whether archived products are returned. */
                archived?: "exclude" | "include" | "only";
                /** @description Returns only products whose SKU or name contains this text, such as drill. Case and accents are ignored; `%` and `_` match themselves. */
                search?: string;
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of products. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
        };
    };
    createProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductInput"];
            };
        };
        responses: {
            /** @description The created product. */
            201: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    getProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["ProductID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The product. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    updateProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["ProductID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProductChange"];
            };
        };
        responses: {
            /** @description The updated product. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Product"];
                };
            };
        };
    };
    listStockMovements: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["ProductID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of stock movements. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockMovementPage"];
                };
            };
        };
    };
    reportOrders: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The orders at the time `as_of`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OrdersReport"];
                };
            };
        };
    };
    reportSales: {
        parameters: {
            query?: {
                /** @description `day` returns every day of the period in order, also days without an order. `product` and `customer` return those with the largest amounts, up to `limit`. */
                by?: "day" | "product" | "customer";
                /** @description The first day, in `time_zone`. By default, 29 days before `to`. */
                from?: components["schemas"]["Day"];
                /** @description The last day, in `time_zone`. By default, today. The period has at most 366 days. */
                to?: components["schemas"]["Day"];
                /** @description The time zone in which days begin and end, by its name in the IANA time zone database. */
                time_zone?: string;
                /** @description Adds up only orders with this status. */
                status?: "CREATED" | "CONFIRMED";
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The sales of the period. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SalesReport"];
                };
            };
        };
    };
    reportStock: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The stock at the time `as_of`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockReport"];
                };
            };
        };
    };
    listUsers: {
        parameters: {
            query?: {
                /** @description The `next_cursor` of the previous page, unchanged; omit it for the first page. Following the cursor to the last page returns each entry that exists throughout exactly once. Entries created in the meantime may or may not be returned. */
                cursor?: string;
                /** @description The maximum number of entries in a page. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of users. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserPage"];
                };
            };
        };
    };
    createUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserInput"];
            };
        };
        responses: {
            /** @description The created user. */
            201: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSetup"];
                };
            };
        };
    };
    getUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["UserID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
        };
    };
    updateUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
                /** @description The ETag of the representation that the change is based on (RFC 9110, section 13.1.1). If the resource has changed since, the response is 412 and nothing is written. Without the header, or with `*`, the change is unconditional. */
                "If-Match"?: string;
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["UserID"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["UserChange"];
            };
        };
        responses: {
            /** @description The updated user. */
            200: {
                headers: {
                    /**
                     * @description The version of this representation, for If-Match.
                     * @example "1"
                     */
                    ETag: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["User"];
                };
            };
        };
    };
    resetUser: {
        parameters: {
            query?: never;
            header?: {
                /** @description A key for this request, chosen by the caller: 1 to 255 visible ASCII characters, bare or as a quoted structured-field string (RFC 9651, section 3.3.3); both forms are the same key. A retry with the same key and the same request returns the stored response, byte for byte, with `Idempotency-Replayed: true`. The same key with a different request returns 422. Responses with status 400, 401, 403, 429 or 5xx are not stored. Secrets are stored nowhere: in the stored response they are null. Keys are stored per user or integrator, for 24 hours by default. */
                "Idempotency-Key"?: components["schemas"]["KeyText"];
            };
            path: {
                /** @description The id of the resource. */
                id: components["schemas"]["UserID"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The user, with a setup token. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UserSetup"];
                };
            };
        };
    };
}
