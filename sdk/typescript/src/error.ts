import type { components } from "./schema.gen.js";

type Schemas = components["schemas"];

/** What is known of an error. */
export interface Failure {
  readonly status?: number;
  readonly code?: Schemas["ProblemCode"] | undefined;
  readonly detail?: string | undefined;
  readonly fields?: readonly Schemas["FieldError"][] | undefined;
  readonly shortages?: readonly Schemas["Shortage"][] | undefined;
  readonly traceId?: string | undefined;
  readonly step?: Schemas["Step"] | undefined;
  readonly correlationId?: string | undefined;
  readonly withdrawn?: Schemas["WithdrawnOrder"] | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The error of a call. Every error of a call is one, but for that of an aborted signal, which is the signal's reason.
 *
 * If `status` is 0, there is no whole response and `cause` says why. The call may have taken effect; repeat it with the same key to find
 * out.
 *
 * If `status` is 200 to 299, the call has taken effect, but its response cannot be decoded or is larger than 16 MiB, as `cause` says. (A
 * proxy that answers in the place of Pedidos can give such a response to a call that had no effect.) The call is not retried.
 */
export class PedidosError extends Error {
  override readonly name = "PedidosError";
  /** The method and path, such as "POST /orders". */
  readonly operation: string;
  /** The HTTP status, or 0. */
  readonly status: number;
  /** The kind of error, for programs; undefined if something else than Pedidos answered. */
  readonly code: Schemas["ProblemCode"] | undefined;
  /** What happened, for people. */
  readonly detail: string | undefined;
  /** The invalid fields. */
  readonly fields: readonly Schemas["FieldError"][];
  /** The products with insufficient stock. */
  readonly shortages: readonly Schemas["Shortage"][];
  /** Identifies the request in the logs of Pedidos. */
  readonly traceId: string | undefined;
  /** Of `createAndConfirm`: the step that failed. */
  readonly step: Schemas["Step"] | undefined;
  /** Of `createAndConfirm`. */
  readonly correlationId: string | undefined;
  /** Of `createAndConfirm`: the order that was placed and canceled because it can never be confirmed. */
  readonly withdrawn: Schemas["WithdrawnOrder"] | undefined;
  /** How many seconds Pedidos asks to wait. */
  readonly retryAfter: number | undefined;
  /** The idempotency key of the call, if it has one. */
  readonly key: string | undefined;
  /** How many requests were sent. */
  readonly attempts: number;

  constructor(operation: string, failure: Failure, key: string | undefined, attempts: number) {
    const { status = 0, code, detail, fields = [], shortages = [], traceId, cause } = failure;
    super(
      [
        operation,
        [status || "", code ?? ""].filter(Boolean).join(" "),
        detail,
        ...fields.map((f) => `${f.field} ${f.message}`),
        ...shortages.map((s) => `product ${s.product_id} has ${s.available} of ${s.requested} units`),
        cause instanceof Error ? cause.message : "",
        traceId && `trace ${traceId}`,
      ].filter(Boolean).join(": "),
      { cause },
    );
    this.operation = operation;
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.fields = fields;
    this.shortages = shortages;
    this.traceId = traceId;
    this.step = failure.step;
    this.correlationId = failure.correlationId;
    this.withdrawn = failure.withdrawn;
    this.retryAfter = failure.retryAfter;
    this.key = key;
    this.attempts = attempts;
  }
}
