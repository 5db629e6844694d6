// Package contract holds the contracts, each complete in one OpenAPI 3.0.3 document in JSON. They are made from api/. Those of the three
// services are what the services validate against and serve at /openapi.json.
package contract

import _ "embed" // the documents

// Customers is the contract of customers-api.
//
//go:embed customers.json
var Customers []byte

// Orders is the contract of orders-api.
//
//go:embed orders.json
var Orders []byte

// Orchestrator is the contract of the orchestrator.
//
//go:embed orchestrator.json
var Orchestrator []byte

// Public is the contract of the front door: the operations of the three contracts that are for callers from outside. The door serves it at
// /openapi.json.
//
//go:embed public.json
var Public []byte

// Roles has the roles that may call each operation of the contracts, and set the fields that only some of them may set, as x-roles says: a
// JSON object such as {"updateProduct": ["operator", "manager", "admin"], "updateProduct.name": ["manager", "admin"]}.
//
//go:embed roles.json
var Roles []byte
