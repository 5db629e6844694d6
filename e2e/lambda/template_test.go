package lambda_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/platform/config"
)

const templateFile = "../../deploy/lambda/template.yaml"

// testTemplate checks the template that deploys the binary, and that the check detects faults in it.
func testTemplate(t *testing.T, binary string) {
	t.Helper()
	raw, err := os.ReadFile(templateFile)
	if err != nil {
		t.Fatal(err)
	}
	source := string(raw)
	if found := examine(t, binary, source); len(found) > 0 {
		t.Errorf("the template has faults:\n%s", strings.Join(found, "\n"))
	}
	t.Run("Answers", func(t *testing.T) { t.Parallel(); testDeployed(t, binary, source) })

	for _, c := range []struct{ name, from, to, finding string }{
		{"runtime", "provided.al2023", "go1.x", `Runtime is "go1.x"`},
		{"architecture", "[arm64]", "[x86_64]", `Architectures is ["x86_64"]`},
		{"handler", "Handler: bootstrap", "Handler: main", `Handler is "main"`},
		{"timeout longer than that of API Gateway", "Timeout: 15", "Timeout: 30", "Timeout is 30s"},
		{"timeout of the function as short as a request", "Timeout: 15", "Timeout: 10", "Timeout is 10s"},
		{"request as long as the timeout of the function", "ALLOW_ANONYMOUS: ", "REQUEST_TIMEOUT: 15s\n          ALLOW_ANONYMOUS: ", "Timeout is 15s"},
		{"policies", "MemorySize: 512", "Policies: [AWSLambda_FullAccess]", "the function may do more than write its log"},
		{"role", "MemorySize: 512", "Role: arn:aws:iam::123456789012:role/admin", "the function may do more than write its log"},
		{"throttle", "ThrottlingRateLimit: 50", "ThrottlingRateLimit: 0", "the API is not throttled"},
		{"retention", "RetentionInDays: 30", "RetentionInDays: 0", "the log has no retention"},
		{"log group", "LogGroup: !Ref Logs", "LogGroup: /aws/lambda/other", "the function writes to the log group /aws/lambda/other"},

		{"route outside the contract", "Path: /health", "Path: /healthz", "GET /healthz is not in the contract"},
		{"missing route", "Path: /health", "Path: /healthz", "GET /health can't be reached"},
		{"other method", "Method: POST", "Method: PUT", "POST /orchestrator/create-and-confirm-order can't be reached"},
		{"route of another API", "ApiId: !Ref Api, Method: POST", "ApiId: other, Method: POST", "CreateAndConfirmOrder belongs to another API"},
		{"other payload", "Path: /ready", "Path: /ready, PayloadFormatVersion: '1.0'", "GetReady has the payload format 1.0"},
		{"stage", "StageName: dev", "StageName: prod", "/prod is not a server of the contract"},
		{"address of another stage", "${Api.ApiEndpoint}/dev", "${Api.ApiEndpoint}/prod", "Url is Api/prod"},

		{"unknown variable", "ORDERS_API_BASE: ", "ORDERS_URL: ", "ORDERS_URL is not in the configuration"},
		{"required variable", "ORDERS_API_BASE: ", "CUSTOMERS_API_BASE: ", "orchestrator-lambda: ORDERS_API_BASE is not set"},
		{"variable that another variable requires", "SERVICE_TOKEN: ", "DB_PASSWORD: ", "orchestrator-lambda: SERVICE_TOKEN is not set"},
		{"unreadable variable", "!Ref AllowAnonymous", "perhaps", `ALLOW_ANONYMOUS is "perhaps"`},
		{"secret in plain text", "SERVICE_TOKEN: !Sub", "JWT_SECRET: 0123456789abcdef0123456789abcdef #", "JWT_SECRET is in plain text"},
		{"secret in a parameter", "SERVICE_TOKEN: !Sub", "SERVICE_TOKEN: !Ref SecretName #", "SERVICE_TOKEN is in plain text"},
		{"secret beside the reference", "'{{resolve:secretsmanager:", "'hunter2,{{resolve:secretsmanager:", "SERVICE_TOKEN is in plain text"},

		{"!Ref of an unknown name", "!Ref OrdersApiBase", "!Ref OrdersBase", "!Ref OrdersBase: there is no OrdersBase"},
		{"!Sub of an unknown name", "${SecretName}", "${Secret}", "there is no Secret"},
		{"!Sub of an attribute of an unknown name", "${Api.ApiEndpoint}", "${Gateway.ApiEndpoint}", "there is no Gateway"},
		{"!GetAtt of an unknown name", "!Ref Logs", "!GetAtt Log.Arn", "!GetAtt Log.Arn: there is no Log"},
		{"unsupported tag", "!Ref OrdersApiBase", "!ImportValue orders", "!ImportValue is not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(source, c.from) {
				t.Fatalf("the template has no %q", c.from)
			}
			found := examine(t, binary, strings.Replace(source, c.from, c.to, 1))
			if !slices.ContainsFunc(found, func(f string) bool { return strings.Contains(f, c.finding) }) {
				t.Errorf("found %q, want %q", found, c.finding)
			}
		})
	}
}

// testDeployed runs the binary as the template deploys it and calls every operation of the contract without a token.
func testDeployed(t *testing.T, binary, source string) {
	t.Helper()
	orders := newOrders(t)
	tmpl, faults := read(t, source, map[string]string{"OrdersApiBase": orders.URL, "SecretName": "pedidos", "AllowAnonymous": "true"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	f := start(t, binary, tmpl.environ()...)
	stage := tmpl.Resources.API.Properties.StageName
	for _, operation := range operations(t) {
		method, path, _ := strings.Cut(operation, " ")
		e := newEvent(method, "/"+stage+strings.ReplaceAll(path, "{asset}", "swagger-ui.css"))
		if method == http.MethodPost {
			e = e.with("headers.content-type", "application/json").with("body", order)
		}
		if got := f.invoke(t, e.with("requestContext.stage", stage)); got.StatusCode/100 != 2 && got.StatusCode != http.StatusSeeOther {
			t.Errorf("%s answers %d: %s", operation, got.StatusCode, got.Body)
		}
	}
	for _, call := range orders.received() {
		if got := call.Header.Get("Authorization"); got != "Bearer "+serviceToken {
			t.Errorf("orders-api got the Authorization %q", got)
		}
	}
}

// template holds the checked parts of the template, with every reference resolved.
type template struct {
	Resources struct {
		API struct {
			Properties struct {
				StageName            string
				DefaultRouteSettings struct{ ThrottlingRateLimit, ThrottlingBurstLimit float64 }
			}
		}
		Orchestrator struct {
			Properties struct {
				Runtime, Handler, CodeURI string
				Architectures             []string
				Timeout                   int
				Policies, Role            any
				Environment               struct{ Variables map[string]any }
				LoggingConfig             struct{ LogGroup string }
				Events                    map[string]struct {
					Type       string
					Properties struct{ APIID, Method, Path, PayloadFormatVersion string }
				}
			}
		}
		Logs struct{ Properties struct{ RetentionInDays int } }
	}
	Outputs struct{ URL struct{ Value string } }
}

// read parses the template and resolves references: a parameter to its value, a resource to its name. It returns the
// references that it cannot resolve as faults.
func read(t *testing.T, source string, parameters map[string]string) (tmpl template, faults []string) {
	t.Helper()
	var root yaml.Node
	var declared struct {
		Parameters map[string]struct {
			Default string `yaml:"Default"`
		} `yaml:"Parameters"`
		Resources map[string]any `yaml:"Resources"`
	}
	if err := yaml.Unmarshal([]byte(source), &root); err != nil {
		t.Fatal(err)
	}
	if err := root.Decode(&declared); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for name, p := range declared.Parameters {
		values[name] = p.Default
	}
	maps.Copy(values, parameters)
	for name := range declared.Resources {
		values[name] = name
	}

	// lookUp resolves an attribute of a resource to the name of the resource.
	lookUp := func(n *yaml.Node, reference string) string {
		name, _, _ := strings.Cut(reference, ".")
		value, ok := values[name]
		if !ok && !strings.HasPrefix(name, "AWS::") {
			faults = append(faults, fmt.Sprintf("line %d: %s %s: there is no %s", n.Line, n.Tag, n.Value, name))
		}
		return value
	}
	var resolve func(*yaml.Node)
	resolve = func(n *yaml.Node) {
		switch {
		case n.Tag == "!Ref", n.Tag == "!GetAtt":
			n.Value, n.Tag = lookUp(n, n.Value), "!!str"
		case n.Tag == "!Sub":
			text := substitution.ReplaceAllStringFunc(n.Value, func(s string) string { return lookUp(n, s[2:len(s)-1]) })
			n.Value, n.Tag = text, "!!str"
		case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
			faults = append(faults, fmt.Sprintf("line %d: %s is not supported", n.Line, n.Tag))
		}
		for _, child := range n.Content {
			resolve(child)
		}
	}
	resolve(&root)

	var tree map[string]any
	if err := root.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(plain, &tmpl); err != nil {
		t.Fatal(err)
	}
	return tmpl, faults
}

var (
	substitution = regexp.MustCompile(`\$\{[^}]+\}`)
	dynamic      = regexp.MustCompile(`^\{\{resolve:secretsmanager:[\w/+=.@-]+:SecretString:\w+\}\}$`)
)

// environ returns the environment of the function, with the references to secrets resolved as CloudFormation does.
func (tmpl *template) environ() (environ []string) {
	for name, value := range tmpl.Resources.Orchestrator.Properties.Environment.Variables {
		environ = append(environ, name+"="+dynamic.ReplaceAllLiteralString(fmt.Sprint(value), serviceToken))
	}
	return environ
}

// examine returns the faults of a template.
func examine(t *testing.T, binary, source string) []string {
	t.Helper()
	tmpl, found := read(t, source, map[string]string{"OrdersApiBase": "https://orders.example", "SecretName": "pedidos", "AllowAnonymous": "true"})
	report := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	checkFunction(&tmpl, report)
	checkRoutes(t, &tmpl, report)
	checkVariables(&tmpl, report)

	f := run(t, binary, tmpl.environ()...)
	select {
	case f.events <- invocation{payload: get("/health").bytes(t), deadline: time.Now().Add(patience)}: // it has started
	case <-f.ended:
		report("%s", &f.stderr)
	case <-time.After(patience):
		t.Fatal("the function neither asks for an event nor ends")
	}
	return found
}

func checkFunction(tmpl *template, report func(string, ...any)) {
	f := tmpl.Resources.Orchestrator.Properties
	for name, pair := range map[string][2]any{
		"Runtime":       {f.Runtime, "provided.al2023"},
		"Architectures": {f.Architectures, []string{"arm64"}},
		"Handler":       {f.Handler, "bootstrap"},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			report("%s is %q, want %q", name, pair[0], pair[1])
		}
	}
	if f.Policies != nil || f.Role != nil {
		report("the function may do more than write its log")
	}
	if f.LoggingConfig.LogGroup != "Logs" {
		report("the function writes to the log group %s", f.LoggingConfig.LogGroup)
	}
	if tmpl.Resources.Logs.Properties.RetentionInDays <= 0 {
		report("the log has no retention")
	}
}

func checkRoutes(t *testing.T, tmpl *template, report func(string, ...any)) {
	t.Helper()
	api := tmpl.Resources.API.Properties
	if limits := api.DefaultRouteSettings; limits.ThrottlingRateLimit <= 0 || limits.ThrottlingBurstLimit <= 0 {
		report("the API is not throttled")
	}
	prefix := "/" + api.StageName
	if !slices.ContainsFunc(document(t).Servers, func(s *openapi3.Server) bool { return s.URL == prefix }) {
		report("%s is not a server of the contract", prefix)
	}
	if url := tmpl.Outputs.URL.Value; url != "Api"+prefix {
		report("Url is %s, want the URL of the API with its stage", url)
	}
	var routes []string
	for name, e := range tmpl.Resources.Orchestrator.Properties.Events {
		if e.Type != "HttpApi" || e.Properties.APIID != "Api" {
			report("%s belongs to another API", name)
			continue
		}
		if v := e.Properties.PayloadFormatVersion; v != "" && v != "2.0" { // SAM defaults to 2.0
			report("%s has the payload format %s", name, v)
		}
		routes = append(routes, strings.ToUpper(e.Properties.Method)+" "+e.Properties.Path)
	}
	contracted := operations(t)
	for _, route := range routes {
		if !slices.Contains(contracted, route) {
			report("%s is not in the contract", route)
		}
	}
	for _, operation := range contracted {
		if !slices.Contains(routes, operation) {
			report("%s can't be reached", operation)
		}
	}
}

// gatewayTimeout is the longest time that an HTTP API of API Gateway waits for a function.
const gatewayTimeout = 30 * time.Second

func checkVariables(tmpl *template, report func(string, ...any)) {
	known, secret := map[string]bool{}, map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		name := field.Tag.Get("env")
		known[name], secret[name] = name != "", field.Type == reflect.TypeFor[config.Secret]()
	}
	f := tmpl.Resources.Orchestrator.Properties
	environment := map[string]string{}
	for name, value := range f.Environment.Variables {
		environment[name] = fmt.Sprint(value)
		if !known[name] {
			report("%s is not in the configuration", name)
		}
		if secret[name] && !dynamic.MatchString(environment[name]) {
			report("%s is in plain text", name)
		}
	}
	c, err := config.Read(environment)
	if err != nil {
		report("%v", err)
		return
	}
	// RequestTimeout bounds everything that an invocation waits for.
	if timeout := time.Duration(f.Timeout) * time.Second; timeout <= c.RequestTimeout || timeout >= gatewayTimeout {
		report("Timeout is %s, want it between REQUEST_TIMEOUT %s and the %s of an HTTP API", timeout, c.RequestTimeout, gatewayTimeout)
	}
}

// operations returns the operations of the contract, such as "GET /health".
func operations(t *testing.T) (all []string) {
	t.Helper()
	for path, item := range document(t).Paths.Map() {
		for method := range item.Operations() {
			all = append(all, method+" "+path)
		}
	}
	return all
}

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(contract.Orchestrator)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
