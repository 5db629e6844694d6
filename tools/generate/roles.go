package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// roleNames are the columns of the table of roles.
var roleNames = []string{"viewer", "operator", "manager", "admin"}

// writeRoles replaces the table of operations and roles in docs/security.md, between the lines of its two comments.
func writeRoles(root string, contracts map[string]*openapi3.T, order []string) error {
	file := filepath.Join(root, "docs/security.md")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, rest, ok := bytes.Cut(text, []byte("<!-- roles -->\n"))
	_, end, ended := bytes.Cut(rest, []byte("<!-- end of roles -->\n"))
	if !ok || !ended {
		return errors.New("docs/security.md has no comments around the table of roles")
	}
	var table strings.Builder
	for _, service := range order {
		fmt.Fprintf(&table, "| %s | %s |\n|---|%s\n", service, strings.Join(roleNames, " | "), strings.Repeat("---|", len(roleNames)))
		for _, row := range roleRows(contracts[service]) {
			table.WriteString(row)
		}
		table.WriteString("\n")
	}
	return os.WriteFile(file, slices.Concat(begin, []byte("<!-- roles -->\n"+table.String()+"<!-- end of roles -->\n"), end), 0o644)
}

// writePermissions writes x-roles of all operations, by operationId, and of the fields of their bodies, by operationId and name.
func writePermissions(root string, contracts map[string]*openapi3.T) error {
	all := map[string][]string{}
	for _, doc := range contracts {
		for _, path := range doc.Paths.Map() {
			for _, operation := range path.Operations() {
				roles := rolesOf(operation.Extensions)
				if roles == nil {
					continue
				}
				all[operation.OperationID] = roles
				for name, roles := range fieldRoles(operation) {
					all[operation.OperationID+"."+name] = roles
				}
			}
		}
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "gen/contract/roles.json"), append(text, '\n'), 0o644)
}

// fieldRoles returns x-roles of the fields of a body that have it.
func fieldRoles(operation *openapi3.Operation) map[string][]string {
	fields := map[string][]string{}
	if body := operation.RequestBody; body != nil {
		for name, property := range body.Value.Content.Get("application/json").Schema.Value.Properties {
			if roles := rolesOf(property.Value.Extensions); roles != nil {
				fields[name] = roles
			}
		}
	}
	return fields
}

// roleRows returns a row for each operation that has roles, in order of paths and methods.
func roleRows(doc *openapi3.T) (rows []string) {
	for _, path := range slices.Sorted(maps.Keys(doc.Paths.Map())) {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			operation := operations[method]
			if operation == nil || rolesOf(operation.Extensions) == nil {
				continue
			}
			cells := []string{fmt.Sprintf("%s %s", method, path)}
			for _, role := range roleNames {
				cells = append(cells, cell(operation, role))
			}
			rows = append(rows, "| "+strings.Join(cells, " | ")+" |\n")
		}
	}
	return rows
}

// cell says whether a role may call an operation: yes, no, or all but the fields that the role may not set.
func cell(operation *openapi3.Operation, role string) string {
	if !slices.Contains(rolesOf(operation.Extensions), role) {
		return "–"
	}
	var forbidden []string
	for name, roles := range fieldRoles(operation) {
		if !slices.Contains(roles, role) {
			forbidden = append(forbidden, name)
		}
	}
	if forbidden == nil {
		return "yes"
	}
	slices.Sort(forbidden)
	return "not " + strings.Join(forbidden, ", ")
}

// rolesOf returns x-roles, or nil if it is absent.
func rolesOf(extensions map[string]any) (roles []string) {
	list, _ := extensions["x-roles"].([]any)
	for _, role := range list {
		roles = append(roles, fmt.Sprint(role))
	}
	return roles
}
