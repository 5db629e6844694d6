package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// sdkContract returns the part of the public contract that the SDKs are made from. It is without second names of headers, and without
// errors, as the SDKs have one type for all. Each kind of id has a schema of its own, such as CustomerID.
func sdkContract(root string) (*openapi3.T, error) {
	text, err := os.ReadFile(filepath.Join(root, "gen/contract/public.json"))
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if slices.Contains(operation.Tags, "docs") || slices.Contains(leftOut, operation.OperationID) {
				item.SetOperation(method, nil)
				continue
			}
			operation.Parameters = slices.Concat(item.Parameters, operation.Parameters)
			simplify(operation)
		}
		item.Parameters = nil
		if len(item.Operations()) == 0 {
			doc.Paths.Delete(path)
		}
	}
	doc.Components = &openapi3.Components{Schemas: doc.Components.Schemas}
	doc.Security, doc.Tags = nil, nil
	nameIDs(doc)
	if err := prune(doc); err != nil {
		return nil, err
	}
	if text, err = json.Marshal(doc); err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(text) // references point to the schemas with other ids
}

// leftOut are public operations that the SDKs do not have: sessions are for browsers, the key set is for services, and PUT is a second name
// of PATCH.
var leftOut = []string{"createSession", "exchangeSession", "getKeySet", "replaceCustomer"}

// simplify leaves the success of an operation, and nothing that refers to components other than schemas.
func simplify(operation *openapi3.Operation) {
	isAlias := func(p *openapi3.ParameterRef) bool { return p.Value.Extensions["x-alias-of"] != nil }
	operation.Parameters = slices.DeleteFunc(operation.Parameters, isAlias)
	if operation.Security != nil && len(*operation.Security) > 0 {
		operation.Security = nil
	}
	for i, p := range operation.Parameters {
		value := *p.Value
		operation.Parameters[i] = &openapi3.ParameterRef{Value: &value}
	}
	if body := operation.RequestBody; body != nil {
		body.Ref = ""
		bare(body.Value.Content)
	}
	for status, response := range operation.Responses.Map() {
		if status[0] != '2' {
			operation.Responses.Delete(status)
			continue
		}
		value := *response.Value
		value.Headers = openapi3.Headers{}
		if tag := response.Value.Headers["ETag"]; tag != nil {
			value.Headers["ETag"] = &openapi3.HeaderRef{Value: tag.Value}
		}
		bare(value.Content)
		operation.Responses.Set(status, &openapi3.ResponseRef{Value: &value})
	}
}

func bare(content openapi3.Content) {
	for _, media := range content {
		media.Example, media.Examples = nil, nil
	}
}

// resources are the first segments of paths and the kinds of the ids that follow them.
var resources = map[string]string{
	"customers": "Customer", "products": "Product", "orders": "Order", "users": "User", "integrators": "Integrator", "auth": "Session",
}

// nameIDs gives each kind of id a schema: CustomerID for the id of a Customer and for every customer_id.
func nameIDs(doc *openapi3.T) {
	kinds := append(slices.Collect(maps.Values(resources)), "Key")
	for _, kind := range kinds {
		id := *doc.Components.Schemas["ID"].Value
		article := map[bool]string{true: "an", false: "a"}[strings.ContainsAny(kind[:1], "IO")]
		id.Description = fmt.Sprintf("The id of %s %s.", article, strings.ToLower(kind))
		id.Extensions = map[string]any{idKind: kind}
		doc.Components.Schemas[kind+"ID"] = id.NewRef()
	}
	for name, schema := range doc.Components.Schemas {
		for property, ref := range schema.Value.Properties {
			kind := strings.TrimSuffix(property, "_id")
			if property == "id" {
				kind = name[strings.LastIndexFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' }):]
			}
			nameID(ref, kind, kinds)
		}
	}
	doc.Components.Schemas["UserSetup"].Value.Properties["id"].Ref = ref("UserID")
	for path, item := range doc.Paths.Map() {
		first := resources[strings.Split(path, "/")[1]]
		for _, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				p.Value.Schema = &openapi3.SchemaRef{Ref: p.Value.Schema.Ref, Value: p.Value.Schema.Value}
				switch p.Value.Name {
				case "id":
					nameID(p.Value.Schema, first, kinds)
				case "ids":
					p.Value.Schema.Value.Items = &openapi3.SchemaRef{Ref: ref(first + "ID")}
				default:
					nameID(p.Value.Schema, strings.TrimSuffix(p.Value.Name, "_id"), kinds)
				}
			}
		}
	}
}

// idKind is the extension of the schema of an id that names what it is the id of.
const idKind = "x-id-of"

func ref(schema string) string { return "#/components/schemas/" + schema }

// nameID makes a reference to ID one to the id of this kind, in either case of its first letter.
func nameID(id *openapi3.SchemaRef, kind string, kinds []string) {
	i := slices.IndexFunc(kinds, func(known string) bool { return strings.EqualFold(known, kind) })
	if id.Ref == ref("ID") && i >= 0 {
		id.Ref = ref(kinds[i] + "ID")
	}
}

var references = regexp.MustCompile(`"#/components/schemas/(\w+)"`)

// prune deletes the schemas that no operation uses, but for those of errors.
func prune(doc *openapi3.T) error {
	text, err := json.Marshal(doc.Paths)
	if err != nil {
		return err
	}
	used, found := openapi3.Schemas{}, references.FindAllStringSubmatch(string(text)+`"`+ref("Problem")+`""`+ref("Failure")+`"`, -1)
	for len(found) > 0 {
		name := found[0][1]
		found = found[1:]
		if used[name] != nil {
			continue
		}
		if used[name] = doc.Components.Schemas[name]; used[name] == nil {
			return fmt.Errorf("there is no schema %s", name)
		}
		text, err := json.Marshal(used[name])
		if err != nil {
			return err
		}
		found = append(found, references.FindAllStringSubmatch(string(text), -1)...)
	}
	doc.Components.Schemas = used
	return nil
}

// writeSDKs writes the types of both SDKs and the operations of the Go SDK.
func writeSDKs(ctx context.Context, root string) error {
	doc, err := sdkContract(root)
	if err != nil {
		return err
	}
	if err := writeTypeScript(ctx, root, doc); err != nil {
		return err
	}
	if err := writeOperations(filepath.Join(root, "sdk/go/operations.gen.go"), doc); err != nil {
		return err
	}
	return writeTypes(filepath.Join(root, "sdk/go/types.gen.go"), doc)
}

const generated = "// Code generated from the contracts by tools/generate. DO NOT EDIT.\n\npackage pedidos\n"

// serviceOf returns the service that has a path.
func serviceOf(path string) string {
	switch first := strings.Split(path, "/")[1]; first {
	case "orchestrator":
		return first
	case "orders", "products", "reports":
		return "orders"
	}
	return "customers"
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

// writeOperations writes what the Go SDK knows of each operation. The linter reports an operation that no method uses.
func writeOperations(file string, doc *openapi3.T) error {
	lines := map[string]string{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			keyed := slices.ContainsFunc(operation.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == "Idempotency-Key" })
			line := fmt.Sprintf("service: %s, method: %q, path: %q", serviceOf(path), method, placeholder.ReplaceAllString(path, "%d"))
			if keyed {
				line += ", keyed: true"
			}
			if operation.Security != nil {
				line += ", open: true"
			}
			lines[operation.OperationID] = fmt.Sprintf("%s = operation{%s}\n", operation.OperationID, line)
		}
	}
	var code strings.Builder
	code.WriteString(generated + "\nvar (\n")
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		code.WriteString(lines[name])
	}
	code.WriteString(")\n")
	formatted, err := format.Source([]byte(code.String()))
	if err != nil {
		return err
	}
	return os.WriteFile(file, formatted, 0o644)
}

// filters are the operations with parameters beside those of pages, and the types that hold these.
var filters = map[string]string{
	"listCustomers": "CustomerFilter", "listProducts": "ProductFilter", "listOrders": "OrderFilter", "listAudit": "AuditFilter",
	"reportSales": "SalesQuery",
}

// handled are the schemas that the Go SDK handles by itself.
var handled = regexp.MustCompile(`^(.*Page|Credentials|Token|Confirmed|OrderRequest(Line)?|Problem|Failure|StepError|Confirmation)$`)

// writeTypes writes the types of the Go SDK. They have no pointers: null and an absent value are the zero value, and Optional where the
// zero value has a meaning of its own.
func writeTypes(file string, doc *openapi3.T) error {
	schemas := openapi3.Schemas{}
	for name, schema := range doc.Components.Schemas {
		if isText := schema.Value.Extensions["x-extensible-enum"]; isText != nil {
			schema.Value.Enum = isText.([]any) // generates constants
		}
		if schema.Value.Type.Is("object") || len(schema.Value.Enum) > 0 || schema.Value.Extensions[idKind] != nil {
			schemas[name] = schema
		}
	}
	changes, tagged := map[string]bool{}, map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if method == "PATCH" {
				changes[nameOf(operation.RequestBody.Value.Content.Get("application/json").Schema)] = true
			}
			for _, response := range operation.Responses.Map() {
				if response.Value.Headers["ETag"] != nil {
					tagged[nameOf(response.Value.Content.Get("application/json").Schema)] = true
				}
			}
			if filter, ok := filters[operation.OperationID]; ok {
				schemas[filter] = filterOf(operation)
			}
		}
	}
	for name, schema := range schemas {
		for property, p := range schema.Value.Properties {
			schema.Value.Properties[property] = goProperty(p, schemas, changes[name])
		}
		if tagged[name] {
			schema.Value.Properties["etag"] = &openapi3.SchemaRef{Value: &openapi3.Schema{
				Type: &openapi3.Types{"string"}, Description: "The version that was read, which Update compares; empty in entries of a list.",
				Extensions: map[string]any{"x-go-name": "ETag", "x-go-json-ignore": true},
			}}
			schema.Value.Required = append(schema.Value.Required, "etag")
		}
	}
	var omitted []string
	for name, schema := range schemas {
		if handled.MatchString(name) || schema.Value.Extensions[idKind] != nil {
			omitted = append(omitted, name)
		}
	}
	alone := &openapi3.T{OpenAPI: doc.OpenAPI, Info: doc.Info, Paths: &openapi3.Paths{}, Components: &openapi3.Components{Schemas: schemas}}
	config := codegen.Configuration{PackageName: "pedidos", Generate: codegen.GenerateOptions{Models: true}}
	config.OutputOptions = codegen.OutputOptions{
		SkipPrune: true, SkipEnumValidate: true, ExcludeSchemas: omitted,
		PreferSkipOptionalPointer: true, PreferSkipOptionalPointerWithOmitzero: true,
	}
	if err := write(file, alone, config); err != nil {
		return err
	}
	code, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	_, code, ok := bytes.Cut(code, []byte("\npackage pedidos\n"))
	if !ok {
		return errors.New("the generated types have no package")
	}
	return os.WriteFile(file, slices.Concat([]byte(generated), code), 0o644)
}

func nameOf(schema *openapi3.SchemaRef) string {
	return schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
}

// filterOf returns a schema with the parameters of an operation.
func filterOf(operation *openapi3.Operation) *openapi3.SchemaRef {
	filter := openapi3.NewObjectSchema()
	filter.Description = fmt.Sprintf("selects what %q returns. Zero values select everything.", operation.Summary)
	for _, p := range operation.Parameters {
		ofPages := p.Value.Name == "cursor" || p.Value.Name == "limit" && strings.HasPrefix(operation.OperationID, "list")
		if p.Value.In != openapi3.ParameterInQuery || ofPages {
			continue
		}
		schema := *p.Value.Schema.Value
		schema.Description, schema.Default = p.Value.Description, nil
		if p.Value.Schema.Ref == ref("DayOrTime") {
			schema.Format = "date-time"
		}
		if plural, ok := map[string]string{"ids": "IDs", "sku": "SKUs"}[p.Value.Name]; ok {
			schema.Extensions = map[string]any{"x-go-name": plural}
		}
		filter.Properties[p.Value.Name] = &openapi3.SchemaRef{Ref: p.Value.Schema.Ref, Value: &schema}
	}
	return filter.NewRef()
}

// goProperty returns a property with the type that it has in Go.
func goProperty(p *openapi3.SchemaRef, schemas openapi3.Schemas, change bool) *openapi3.SchemaRef {
	value := *p.Value
	value.Extensions = maps.Clone(value.Extensions)
	if value.Extensions == nil {
		value.Extensions = map[string]any{}
	}
	if value.Extensions["x-go-type-import"] != nil { // a type of gen
		delete(value.Extensions, "x-go-type")
		delete(value.Extensions, "x-go-type-import")
	}
	if items := value.Items; items != nil && schemas[nameOf(items)] == nil {
		value.Items = &openapi3.SchemaRef{Value: items.Value}
	}
	_, named := schemas[nameOf(p)]
	plain := "string"
	switch {
	case named:
		plain = nameOf(p)
	case value.Type.Is("integer"):
		plain = "int64"
	case value.Type.Is("boolean"):
		plain = "bool"
	}
	counted := value.Type.Is("integer") && value.Min != nil && *value.Min == 0
	switch {
	case change && (counted || value.Type.Is("boolean") || value.Nullable), !change && counted && value.Nullable:
		value.Extensions["x-go-type"] = "Optional[" + plain + "]"
	case named:
		return &openapi3.SchemaRef{Ref: p.Ref, Value: p.Value}
	case isStatus(value.Enum, schemas["OrderStatus"]):
		value.Extensions["x-go-type"] = "OrderStatus"
		value.Enum = nil
	}
	return &openapi3.SchemaRef{Value: &value}
}

// isStatus reports whether all values are statuses of an order.
func isStatus(values []any, status *openapi3.SchemaRef) bool {
	return len(values) > 0 && !slices.ContainsFunc(values, func(v any) bool { return v != nil && !slices.Contains(status.Value.Enum, v) })
}
