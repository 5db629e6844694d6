package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// access says who may call an operation.
type access struct {
	schemes   []string // security schemes; a token of any one is enough
	anonymous bool     // a token is optional
	roles     []auth.Role
}

// serviceToken is the security scheme of services. Its tokens have no role: each may call every operation of the scheme.
const serviceToken = "serviceToken"

// readAccess reads the security schemes and x-roles of an operation.
func readAccess(doc *openapi3.T, spec *openapi3.Operation, config Config) (access, error) {
	security := doc.Security
	if spec.Security != nil {
		security = *spec.Security
	}
	a := access{anonymous: len(security) == 0}
	needsRoles := false
	for _, requirement := range security {
		if len(requirement) > 1 {
			return access{}, errors.New("requires more than one token at once")
		}
		if len(requirement) == 0 && config.AllowAnonymous {
			a.anonymous = true
		}
		for name := range requirement {
			if config.Schemes[name] == nil {
				return access{}, fmt.Errorf("names the security scheme %q, which the service does not have", name)
			}
			a.schemes = append(a.schemes, name)
			needsRoles = needsRoles || name != serviceToken
		}
	}
	roles, _ := spec.Extensions["x-roles"].([]any)
	for _, value := range roles {
		role := auth.Role(fmt.Sprint(value))
		if !role.Known() {
			return access{}, fmt.Errorf("names the unknown role %q", role)
		}
		a.roles = append(a.roles, role)
	}
	if needsRoles && len(a.roles) == 0 {
		return access{}, errors.New("has no x-roles, which say who may call it")
	}
	return a, nil
}

// authorize returns the caller of a request, or the zero Caller without a token where none is needed. It returns an
// unauthorized error if no scheme accepts the token, and a forbidden error if the role of the caller may not call the
// operation.
func (a access) authorize(r *http.Request, schemes map[string]auth.Scheme) (auth.Caller, error) {
	header := r.Header.Get(echo.HeaderAuthorization)
	if a.anonymous && (header == "" || len(a.schemes) == 0) {
		return auth.Caller{}, nil
	}
	refused := fault.New(common.CodeUnauthorized, "A valid bearer token is required.")
	token, ok := auth.Bearer(header)
	if !ok {
		return auth.Caller{}, refused
	}
	for _, name := range a.schemes {
		caller, err := schemes[name](token)
		if err != nil {
			refused.Cause = errors.Join(refused.Cause, err)
			if errors.Is(err, auth.ErrExpired) {
				refused.Message = "The token has expired; log in again."
			}
			continue
		}
		if caller.Role != auth.Service && !slices.Contains(a.roles, caller.Role) {
			return auth.Caller{}, fault.New(common.CodeForbidden, fmt.Sprintf("The role %s may not do this.", caller.Role))
		}
		return caller, nil
	}
	return auth.Caller{}, refused
}
