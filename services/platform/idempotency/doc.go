// Package idempotency performs writes that are safe to repeat. A request with a key takes effect once; a repeat gets the
// same answer, byte for byte. It follows draft-ietf-httpapi-idempotency-key-header; the parameter Idempotency-Key of the
// contracts says what clients may expect.
//
// A request passes six steps (pipeline.go), three of them in one transaction. After a crash at any point, a retry finds either
// all effects of that transaction or none:
//
//	client        Operation.Do                         database
//	  │ request, key   │                                   │
//	  ├───────────────>│ 1 look up: a key served before ──>│ SELECT the stored answer
//	  │                │ 2 prepare: ask other services     │
//	  │                │ 3 batch: wait for the transaction │
//	  │                │   under way, then join the next   │
//	  │                │ 4 claim ─────────────────────────>│ INSERT the keys (begins the transaction)
//	  │                │ 5 effect ────────────────────────>│ the statements whose results it needs
//	  │                │ 6 keep ──────────────────────────>│ the others; REPLACE the keys with their answers; COMMIT
//	  │<───────────────┤ the answer                        │
//
// Requests that arrive while a transaction runs share the next one, so the cost of each request falls under load.
package idempotency
