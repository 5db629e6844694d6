package backoffice

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/pedidos-hq/pedidos/gen/contract"
)

// The inputs of a form take as many characters as the contract allows.
func TestLengthsOfInputs(t *testing.T) {
	t.Parallel()
	w, _ := newShop(t)
	admin := visit(t, w, "admin")
	for _, test := range []struct {
		path     string
		contract []byte
		schema   string
	}{
		{"/customers/new", contract.Customers, "CustomerInput"},
		{"/customers/1/edit", contract.Customers, "CustomerChange"},
		{"/products/new", contract.Orders, "ProductInput"},
		{"/products/1/edit", contract.Orders, "ProductChange"},
		{"/products/1/stock", contract.Orders, "ProductChange"},
		{"/orders/1/cancel", contract.Orders, "Cancellation"},
		{"/orders/cancel?id=1", contract.Orders, "Cancellation"},
		{"/team/users/new", contract.Customers, "UserInput"},
		{"/team/users/2", contract.Customers, "UserChange"},
		{"/team/integrators/new", contract.Customers, "IntegratorInput"},
		{"/team/integrators/1", contract.Customers, "IntegratorChange"},
		{"/team/integrators/1/keys/new", contract.Customers, "KeyInput"},
	} {
		doc, err := openapi3.NewLoader().LoadFromData(test.contract)
		if err != nil {
			t.Fatal(err)
		}
		form, compared := document(t, admin.send(http.MethodGet, test.path, nil)), 0
		for name, property := range doc.Components.Schemas[test.schema].Value.Properties {
			input := form.Find("main form[method=post] input[type!=hidden][maxlength][name=" + name + "]")
			if input.Length() == 0 || property.Value.MaxLength == nil {
				continue
			}
			compared++
			if got, want := input.AttrOr("maxlength", ""), strconv.FormatUint(*property.Value.MaxLength, 10); got != want {
				t.Errorf("%s: %s takes %s characters, want %s", test.path, name, got, want)
			}
		}
		if compared == 0 {
			t.Errorf("%s has no input of %s", test.path, test.schema)
		}
	}
}
