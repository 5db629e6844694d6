package server

import (
	"errors"
	"fmt"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/services/platform/auth"
)

// Permissions holds the roles that may call each operation, by operationId such as updateProduct, and those that may set each field of
// its body that only some of them may set, such as updateProduct.name.
type Permissions map[string][]auth.Role

// ReadPermissions reads x-roles of contracts, which are OpenAPI 3.0.3 in JSON.
func ReadPermissions(contracts ...[]byte) (Permissions, error) {
	all := Permissions{}
	var faults []error
	for _, contract := range contracts {
		doc, err := openapi3.NewLoader().LoadFromData(contract)
		if err != nil {
			return nil, fmt.Errorf("read contract: %w", err)
		}
		for _, item := range doc.Paths.Map() {
			for _, spec := range item.Operations() {
				roles, err := readRoles(spec.Extensions)
				fields, more := readFieldRoles(spec, roles)
				faults = append(faults, err, more)
				all[spec.OperationID] = roles
				for name, roles := range fields {
					all[spec.OperationID+"."+name] = roles
				}
			}
		}
	}
	return all, errors.Join(faults...)
}

// Allow reports whether a role may call an operation, or set a field.
func (p Permissions) Allow(role auth.Role, what string) bool { return slices.Contains(p[what], role) }
