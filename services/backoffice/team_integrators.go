package backoffice

import (
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) integratorRoutes() []route {
	return []route{
		{name: "integrators", method: http.MethodGet, path: "/team/integrators", needs: []string{"listIntegrators"}, handle: s.listIntegrators},
		{name: "newIntegrator", method: http.MethodGet, path: "/team/integrators/new", needs: []string{"createIntegrator"}, handle: s.newIntegrator},
		{name: "createIntegrator", method: http.MethodPost, path: "/team/integrators/new", needs: []string{"createIntegrator"}, handle: s.createIntegrator},
		{name: "integrator", method: http.MethodGet, path: "/team/integrators/:id", needs: []string{"getIntegrator", "listKeys"}, handle: s.integrator},
		{name: "updateIntegrator", method: http.MethodPost, path: "/team/integrators/:id", needs: []string{"updateIntegrator"}, handle: s.updateIntegrator},
		{name: "askIntegratorState", method: http.MethodGet, path: "/team/integrators/:id/state", needs: []string{"getIntegrator", "updateIntegrator"}, handle: s.askIntegratorState},
		{name: "setIntegratorState", method: http.MethodPost, path: "/team/integrators/:id/state", needs: []string{"updateIntegrator"}, handle: s.setIntegratorState},
	}
}

func (s *service) listIntegrators(v *visit) error {
	r, err := s.customers.ListIntegratorsWithResponse(v.ctx(), &api.ListIntegratorsParams{Cursor: v.cursor()})
	list, err := read(r, err)
	query := view.ReadForm(v.QueryParams())
	return v.answerList(query, err, view.Integrators(v.page, query, list.Data, view.NewPager("/team/integrators", v.QueryParams(), list.NextCursor)))
}

func (s *service) newIntegrator(v *visit) error {
	return v.render(http.StatusOK, view.NewIntegrator(v.page, view.NewForm()))
}

func (s *service) createIntegrator(v *visit) error {
	form, err := readForm(v)
	if err != nil {
		return err
	}
	in := api.IntegratorInput{Name: form.Get("name"), Role: api.Role(form.Get("role"))}
	r, err := s.customers.CreateIntegratorWithResponse(v.ctx(), &api.CreateIntegratorParams{IdempotencyKey: &form.Key}, in)
	integrator, err := created(r, err)
	if err != nil {
		return v.refuse(form, err, view.NewIntegrator(v.page, form))
	}
	return v.redirect(integratorPath(integrator.ID), view.IntegratorCreated)
}

// readIntegrator returns the integrator in the path, and its ETag.
func (s *service) readIntegrator(v *visit) (integrator api.Integrator, etag string, err error) {
	id, err := v.id()
	if err != nil {
		return integrator, "", err
	}
	r, err := s.customers.GetIntegratorWithResponse(v.ctx(), id)
	if integrator, err = read(r, err); err != nil {
		return integrator, "", err
	}
	return integrator, r.HTTPResponse.Header.Get("ETag"), nil
}

func (s *service) integrator(v *visit) error {
	integrator, etag, err := s.readIntegrator(v)
	if err != nil {
		return err
	}
	keys, err := s.readKeys(v, integrator.ID)
	form := view.NewForm()
	form.ETag = etag
	form.Values.Set("name", integrator.Name)
	form.Values.Set("role", string(integrator.Role))
	return v.answerList(keys.Query, err, view.Integrator(v.page, integrator, form, keys))
}

func (s *service) updateIntegrator(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	change := api.IntegratorChange{Name: new(form.Get("name")), Role: new(api.Role(form.Get("role")))}
	err = s.changeIntegrator(v, id, form, change)
	if err == nil {
		return v.redirect(integratorPath(id), view.IntegratorChanged)
	}
	integrator, etag, failed := s.readIntegrator(v)
	if failed != nil {
		return failed
	}
	keys, failed := s.readKeys(v, id)
	if failed != nil {
		return failed
	}
	if fault.Is(err, common.CodePreconditionFailed) {
		form.ETag = etag
		v.compareIdentity(form, integrator.Name, integrator.Role)
	}
	return v.refuse(form, err, view.Integrator(v.page, integrator, form, keys))
}

// changeIntegrator changes an integrator as a form says.
func (s *service) changeIntegrator(v *visit, id int64, form *view.Form, change api.IntegratorChange) error {
	params := &api.UpdateIntegratorParams{IdempotencyKey: &form.Key, IfMatch: optional(form.ETag)}
	r, err := s.customers.UpdateIntegratorWithResponse(v.ctx(), id, params, change)
	_, err = read(r, err)
	return err
}

func (s *service) askIntegratorState(v *visit) error {
	integrator, etag, err := s.readIntegrator(v)
	if err != nil {
		return err
	}
	form := view.NewForm()
	form.ETag = etag
	return v.render(http.StatusOK, view.IntegratorState(v.page, integrator, form))
}

func (s *service) setIntegratorState(v *visit) error {
	id, form, err := v.sent()
	if err != nil {
		return err
	}
	state := api.State(form.Get("state"))
	if err = s.changeIntegrator(v, id, form, api.IntegratorChange{State: &state}); err == nil {
		return v.redirect(integratorPath(id), view.StateNotice(state))
	}
	integrator, etag, failed := s.readIntegrator(v)
	if failed != nil {
		return failed
	}
	if fault.Is(err, common.CodePreconditionFailed) {
		form.ETag = etag
	}
	return v.refuse(form, err, view.IntegratorState(v.page, integrator, form))
}

func integratorPath(id int64) string { return fmt.Sprintf("/team/integrators/%d", id) }
