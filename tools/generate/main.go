// Command generate generates the code in gen/ from api/ and sql/: the bundled contracts and the public one that is made of them, the types,
// servers and clients, and the query code; in sdk/ the types of the SDKs; and in docs/ the table of roles.
//
//	GOWORK=off go -C tools run ./generate
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

const module = "github.com/pedidos-hq/pedidos/gen"

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), ".."); err != nil {
		log.Fatal("generate: ", err)
	}
}

func run(ctx context.Context, root string) error {
	common, err := load(ctx, filepath.Join(root, "api/common.yaml"))
	if err != nil {
		return err
	}
	for _, schema := range common.Components.Schemas {
		if known, ok := schema.Value.Extensions["x-extensible-enum"].([]any); ok {
			schema.Value.Enum = known // generates constants; the contracts allow other values too
		}
	}
	types := codegen.Configuration{PackageName: "common", Generate: codegen.GenerateOptions{Models: true}}
	types.OutputOptions.SkipPrune = true
	types.OutputOptions.ExcludeTags = []string{"docs"}
	types.OutputOptions.ExcludeSchemas = []string{"Time", "NullableTime"} // gen/common/time.go
	if err := write(filepath.Join(root, "gen/common/common.gen.go"), common, types); err != nil {
		return err
	}
	services, contracts := []string{"customers", "orders", "orchestrator"}, map[string]*openapi3.T{}
	for _, service := range services {
		if contracts[service], err = generate(ctx, root, service, common); err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
	}
	if err := errors.Join(
		writeRoles(root, contracts, services), writePermissions(root, contracts),
		writePublic(ctx, root, contracts, services), writeSDKs(ctx, root),
	); err != nil {
		return err
	}
	sqlc := exec.CommandContext(ctx, "go", "tool", "sqlc", "generate", "-f", filepath.Join(root, "sqlc.yaml"))
	sqlc.Env = append(os.Environ(), "CGO_ENABLED=0")
	sqlc.Stdout, sqlc.Stderr = os.Stdout, os.Stderr
	if err := sqlc.Run(); err != nil {
		return err
	}
	templ := exec.CommandContext(ctx, "go", "tool", "templ", "generate", "-path", filepath.Join(root, "services"), "-log-level", "warn")
	templ.Stdout, templ.Stderr = os.Stdout, os.Stderr
	return templ.Run()
}

// generate writes the bundled contract of a service and the three packages generated from it, and returns the contract.
func generate(ctx context.Context, root, service string, common *openapi3.T) (*openapi3.T, error) {
	doc, err := load(ctx, filepath.Join(root, "api", service+".openapi.yaml"))
	if err != nil {
		return nil, err
	}
	for _, scheme := range doc.Components.SecuritySchemes {
		scheme.Ref = "" // InternalizeRefs would add a reference of the scheme to itself
	}
	doc.InternalizeRefs(ctx, lastSegment)
	flatten(doc)
	if err := doc.Validate(ctx); err != nil {
		return nil, err
	}
	bundle, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(root, "gen/contract", service+".json"), append(bundle, '\n'), 0o644); err != nil {
		return nil, err
	}

	dir := filepath.Join(root, "gen", service)
	own := []codegen.AdditionalImport{{Alias: ".", Package: path.Join(module, service)}}
	for file, config := range map[string]codegen.Configuration{
		service + ".gen.go": {PackageName: service, Generate: codegen.GenerateOptions{Models: true}},
		"client/client.gen.go": {
			PackageName: "client", Generate: codegen.GenerateOptions{Client: true}, AdditionalImports: own,
		},
		"server/server.gen.go": {
			PackageName: "server", Generate: codegen.GenerateOptions{EchoServer: true, Strict: true}, AdditionalImports: own,
		},
	} {
		// services/platform/server serves the documentation page and the contract.
		config.OutputOptions.ExcludeTags = []string{"docs"}
		fresh, err := openapi3.NewLoader().LoadFromData(bundle) // the generator modifies the document
		if err != nil {
			return nil, err
		}
		share(fresh, common)
		if err := write(filepath.Join(dir, file), fresh, config); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// flatten merges the parts of each allOf, so that generators of clients make one type of it.
func flatten(doc *openapi3.T) {
	for _, schema := range doc.Components.Schemas {
		whole := schema.Value
		if len(whole.AllOf) == 0 {
			continue
		}
		whole.Type, whole.Properties = &openapi3.Types{openapi3.TypeObject}, openapi3.Schemas{}
		for _, part := range whole.AllOf {
			maps.Copy(whole.Properties, part.Value.Properties)
			whole.Required = append(whole.Required, part.Value.Required...)
		}
		whole.AllOf = nil
	}
}

// share makes the schemas of common.yaml aliases of the types in gen/common, so that all services have the same type Problem. An
// object without members becomes an empty struct, because a nil map would be sent as null.
func share(doc, common *openapi3.T) {
	for name, schema := range doc.Components.Schemas {
		if schema.Value.Extensions == nil {
			schema.Value.Extensions = map[string]any{}
		}
		if may := schema.Value.AdditionalProperties.Has; may != nil && !*may && len(schema.Value.Properties) == 0 {
			schema.Value.Extensions["x-go-type"] = "struct{}"
		}
		if _, ok := common.Components.Schemas[name]; !ok {
			continue
		}
		schema.Value.Extensions["x-go-type"] = "common." + name
		schema.Value.Extensions["x-go-type-import"] = map[string]any{"path": module + "/common"}
		schema.Value.Enum = nil // gen/common declares the values
	}
}

func load(ctx context.Context, file string) (*openapi3.T, error) {
	loader := openapi3.NewLoader()
	loader.Context = ctx
	loader.IsExternalRefsAllowed = true
	doc, err := loader.LoadFromFile(file)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(ctx)
}

func lastSegment(_ *openapi3.T, ref openapi3.ComponentRef) string {
	name := ref.RefString()
	return name[strings.LastIndexByte(name, '/')+1:]
}

func write(file string, doc *openapi3.T, config codegen.Configuration) error {
	config.OutputOptions.NameNormalizer = string(codegen.NameNormalizerFunctionToCamelCaseWithInitialisms)
	config.OutputOptions.AdditionalInitialisms = []string{"SKU"}
	code, err := codegen.Generate(doc, config)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(code), 0o644)
}
