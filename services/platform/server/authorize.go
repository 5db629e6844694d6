package server

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// access holds the authorization rules of an operation.
type access struct {
	schemes   []string // security schemes; a token of any one is enough
	anonymous bool     // a token is optional
	roles     []auth.Role
	fields    map[string][]auth.Role // the fields of the body that only some of the roles may set
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
	var err error
	if a.roles, err = readRoles(spec.Extensions); err != nil {
		return access{}, err
	}
	if needsRoles && len(a.roles) == 0 {
		return access{}, errors.New("has no x-roles, which say who may call it")
	}
	a.fields, err = readFieldRoles(spec, a.roles)
	return a, err
}

// readRoles returns x-roles, or nil if it is absent.
func readRoles(extensions map[string]any) (roles []auth.Role, err error) {
	list, _ := extensions["x-roles"].([]any)
	for _, value := range list {
		role := auth.Role(fmt.Sprint(value))
		if !role.Known() {
			return nil, fmt.Errorf("names the unknown role %q", role)
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// readFieldRoles returns the x-roles of the fields of the body. It rejects a role that may not call the operation at all.
func readFieldRoles(spec *openapi3.Operation, may []auth.Role) (fields map[string][]auth.Role, err error) {
	if spec.RequestBody == nil {
		return nil, nil
	}
	content := spec.RequestBody.Value.Content.Get(echo.MIMEApplicationJSON)
	if content == nil || content.Schema == nil {
		return nil, nil
	}
	fields = map[string][]auth.Role{}
	for name, property := range content.Schema.Value.Properties {
		roles, err := readRoles(property.Value.Extensions)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, role := range roles {
			if !slices.Contains(may, role) {
				return nil, fmt.Errorf("%s: names the role %q, which may not call the operation", name, role)
			}
		}
		if roles != nil {
			fields[name] = roles
		}
	}
	return fields, nil
}

// authorizeFields returns a forbidden error if the body of a validated request sets a field that the role of the caller may not set.
func (a access) authorizeFields(caller auth.Caller, body io.ReadCloser) error {
	valid, ok := body.(validated)
	if !ok || len(a.fields) == 0 || !caller.Role.Known() {
		return nil
	}
	set, _ := valid.value.(map[string]any)
	refused := fault.New(common.CodeForbidden, fmt.Sprintf("The role %s may not do this.", caller.Role))
	for _, name := range slices.Sorted(maps.Keys(a.fields)) {
		if _, ok := set[name]; ok && !slices.Contains(a.fields[name], caller.Role) {
			refused = refused.About(name, fmt.Sprintf("the role %s may not set it", caller.Role))
		}
	}
	if refused.Fields == nil {
		return nil
	}
	return refused
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
		caller, err := schemes[name](r.Context(), token)
		if failed := (*fault.Error)(nil); errors.As(err, &failed) { // such as a service that does not answer
			return auth.Caller{}, err
		}
		if err != nil {
			refused.Cause = errors.Join(refused.Cause, err)
			if errors.Is(err, auth.ErrExpired) {
				refused.Message = "The token has expired; log in again."
			}
			continue
		}
		if caller.Role.Known() && !slices.Contains(a.roles, caller.Role) {
			return auth.Caller{}, fault.New(common.CodeForbidden, fmt.Sprintf("The role %s may not do this.", caller.Role))
		}
		return caller, nil
	}
	return auth.Caller{}, refused
}
