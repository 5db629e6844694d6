// Package backoffice serves the pages for operators. It is a client of the three contracts like any other: every page calls the APIs
// as the person who is logged in, and shows what they answer. It has no data of its own.
//
// A page is a route in routes.go, a handler in the file of its area, a component in package view, and its texts in package text. A
// handler decodes the request, makes its calls, and renders the component. A form is read into a view.Form, which returns to the
// person with what was typed if the API refuses the request.
package backoffice

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/pedidos-hq/pedidos/gen/contract"
	"github.com/pedidos-hq/pedidos/services/backoffice/static"
	"github.com/pedidos-hq/pedidos/services/platform/auth"
	"github.com/pedidos-hq/pedidos/services/platform/process"
	"github.com/pedidos-hq/pedidos/services/platform/server"
)

// name is the name of the service in logs and metrics.
const name = "backoffice"

// New returns the backoffice. It calls the APIs at Config.CustomersAPIBase, OrdersAPIBase and OrchestratorAPIBase.
func New(p process.Process) (process.Service, error) {
	apis, err := newAPIs(p)
	if err != nil {
		return process.Service{}, err
	}
	var permissions map[string][]auth.Role
	if err := json.Unmarshal(contract.Roles, &permissions); err != nil {
		return process.Service{}, fmt.Errorf("read roles: %w", err)
	}
	files, err := static.Read()
	if err != nil {
		return process.Service{}, fmt.Errorf("static files: %w", err)
	}
	s := &service{
		apis: apis, log: p.Log.With("service", name), permissions: permissions, files: files, now: p.Now,
		currency: p.Config.Currency, cancelWindow: p.Config.CancelWindow, crossOrigin: http.NewCrossOriginProtection(),
	}
	config := server.NewConfig(p)
	config.Service, config.Origins = name, nil
	return process.Service{Handler: server.NewPages(config, s.pages(), s.fail, s.guard)}, nil
}

type service struct {
	*apis
	log          *slog.Logger
	permissions  map[string][]auth.Role // by operation or field of the contracts
	files        *static.Files
	now          func() time.Time
	currency     string
	cancelWindow time.Duration // in which a confirmed order can be canceled
	crossOrigin  *http.CrossOriginProtection
}
