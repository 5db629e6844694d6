package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// object is a JSON object.
type object = map[string]any

// notPublic are the tags of operations that callers from outside can't reach. The documentation of each service is replaced by that of all.
var notPublic = []string{"internal", "service", "docs"}

// serviceToken is the security scheme of services, whose tokens callers from outside don't have.
const serviceToken = "serviceToken"

// writePublic writes the contract for callers from outside: api/public.openapi.yaml with the public operations of the services. Components
// with the same name must be equal.
func writePublic(ctx context.Context, root string, contracts map[string]*openapi3.T, order []string) error {
	base, err := load(ctx, filepath.Join(root, "api/public.openapi.yaml"))
	if err != nil {
		return err
	}
	for _, scheme := range base.Components.SecuritySchemes {
		scheme.Ref = ""
	}
	base.InternalizeRefs(ctx, lastSegment)
	public, err := asObject(base)
	if err != nil {
		return err
	}
	all, paths := object{}, public["paths"].(object)
	if err := addComponents(all, public); err != nil {
		return err
	}
	for _, service := range order {
		doc, err := asObject(contracts[service])
		if err != nil {
			return err
		}
		if err := addComponents(all, doc); err != nil {
			return fmt.Errorf("%s: %w", service, err)
		}
		addPaths(paths, doc)
		addTags(public, doc)
	}
	public["components"] = used(all, paths)
	text, err := json.MarshalIndent(public, "", "  ")
	if err != nil {
		return err
	}
	written, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return err
	}
	if err := written.Validate(ctx); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "gen/contract/public.json"), append(text, '\n'), 0o644)
}

// asObject returns a contract as JSON.
func asObject(doc *openapi3.T) (o object, err error) {
	text, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	exact := json.NewDecoder(bytes.NewReader(text))
	exact.UseNumber()
	return o, exact.Decode(&o)
}

// addComponents adds the components of a contract to all, by kind and name.
func addComponents(all, doc object) error {
	for kind, named := range doc["components"].(object) {
		if all[kind] == nil {
			all[kind] = object{}
		}
		for name, component := range named.(object) {
			if known, ok := all[kind].(object)[name]; ok && !reflect.DeepEqual(known, component) {
				return fmt.Errorf("components/%s/%s differs from that of another contract: name it differently", kind, name)
			}
			all[kind].(object)[name] = component
		}
	}
	return nil
}

// addPaths adds the public operations of a contract to paths, without the tokens and parameters of services.
func addPaths(paths, doc object) {
	parameters, _ := doc["components"].(object)["parameters"].(object)
	for path, item := range doc["paths"].(object) {
		for method, value := range item.(object) {
			operation, ok := value.(object)
			if !ok { // the parameters of the path
				continue
			}
			if tags, _ := operation["tags"].([]any); slices.ContainsFunc(tags, isNotPublic) {
				delete(item.(object), method)
				continue
			}
			if security, ok := operation["security"].([]any); ok {
				operation["security"] = slices.DeleteFunc(security, func(scheme any) bool { return scheme.(object)[serviceToken] != nil })
			}
			if list, ok := operation["parameters"].([]any); ok {
				operation["parameters"] = slices.DeleteFunc(list, func(parameter any) bool {
					ref, _ := parameter.(object)["$ref"].(string)
					named, _ := parameters[ref[strings.LastIndexByte(ref, '/')+1:]].(object)
					return named["x-service"] == true
				})
			}
		}
		if methods := slices.DeleteFunc(slices.Collect(maps.Keys(item.(object))), func(key string) bool { return key == "parameters" }); len(methods) > 0 {
			paths[path] = item
		}
	}
}

func isNotPublic(tag any) bool { return slices.Contains(notPublic, fmt.Sprint(tag)) }

// addTags inserts the tags of a contract before the last tag of the public one.
func addTags(public, doc object) {
	known := public["tags"].([]any)
	last := len(known) - 1 // that of the documentation
	tags := slices.DeleteFunc(doc["tags"].([]any), func(tag any) bool { return isNotPublic(tag.(object)["name"]) })
	public["tags"] = slices.Concat(known[:last], tags, known[last:])
}

// used returns the components that paths refer to, directly or through others, and the security schemes that they name.
func used(all, paths object) object {
	found := object{}
	var add func(value any)
	add = func(value any) {
		switch v := value.(type) {
		case []any:
			for _, one := range v {
				add(one)
			}
		case object:
			for key, one := range v {
				if ref, ok := one.(string); ok && key == "$ref" {
					addComponent(found, all, strings.Split(strings.TrimPrefix(ref, "#/components/"), "/"), add)
				}
				if schemes, ok := one.([]any); ok && key == "security" {
					for _, scheme := range schemes {
						for name := range scheme.(object) {
							addComponent(found, all, []string{"securitySchemes", name}, add)
						}
					}
				}
				add(one)
			}
		}
	}
	add(paths)
	addComponent(found, all, []string{"securitySchemes", "bearerAuth"}, add) // of the whole contract
	return found
}

func addComponent(found, all object, at []string, add func(any)) {
	kind, name := at[0], at[1]
	if found[kind] == nil {
		found[kind] = object{}
	}
	if _, ok := found[kind].(object)[name]; !ok {
		found[kind].(object)[name] = all[kind].(object)[name]
		add(all[kind].(object)[name])
	}
}
