package backoffice

import (
	"fmt"
	"net/http"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/services/backoffice/view"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func (s *service) keyRoutes() []route {
	return []route{
		{name: "newKey", method: http.MethodGet, path: "/team/integrators/:id/keys/new", needs: []string{"getIntegrator", "createKey"}, handle: s.newKey},
		{name: "createKey", method: http.MethodPost, path: "/team/integrators/:id/keys/new", needs: []string{"getIntegrator", "createKey"}, handle: s.createKey},
		{name: "askRevokeKey", method: http.MethodGet, path: "/team/integrators/:id/keys/:key/revoke", needs: []string{"listKeys", "revokeKey"}, handle: s.askRevokeKey},
		{name: "revokeKey", method: http.MethodPost, path: "/team/integrators/:id/keys/:key/revoke", needs: []string{"listKeys", "revokeKey"}, handle: s.revokeKey},
	}
}

// readKeys returns a page of the keys of an integrator.
func (s *service) readKeys(v *visit, integrator int64) (view.KeyList, error) {
	r, err := s.customers.ListKeysWithResponse(v.ctx(), integrator, &api.ListKeysParams{Cursor: v.cursor()})
	list, err := read(r, err)
	return view.KeyList{
		Query: view.ReadForm(v.QueryParams()), Keys: list.Data, Pages: view.NewPager(integratorPath(integrator), v.QueryParams(), list.NextCursor),
	}, err
}

func (s *service) newKey(v *visit) error {
	integrator, _, err := s.readIntegrator(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.NewKey(v.page, integrator, view.NewForm()))
}

func (s *service) createKey(v *visit) error {
	integrator, _, err := s.readIntegrator(v)
	if err != nil {
		return err
	}
	form, err := readForm(v)
	if err != nil {
		return err
	}
	in := api.KeyInput{Name: form.Get("name"), ExpiresAt: v.day(form, "expires_at", 1)} // the key works on its last day
	if !form.OK() {
		return v.refuse(form, fault.Invalid(), view.NewKey(v.page, integrator, form))
	}
	r, err := s.customers.CreateKeyWithResponse(v.ctx(), integrator.ID, &api.CreateKeyParams{IdempotencyKey: &form.Key}, in)
	key, err := created(r, err)
	if err != nil {
		return v.refuse(form, err, view.NewKey(v.page, integrator, form))
	}
	noStore(v)
	return v.render(http.StatusOK, view.CreatedKey(v.page, integrator, key))
}

// readKey returns the key in the path. The API has no operation for a single key.
func (s *service) readKey(v *visit) (key api.Key, err error) {
	integrator, err := v.id()
	if err != nil {
		return key, err
	}
	id, err := parseID(v.Param("key"))
	if err != nil {
		return key, err
	}
	for params := (&api.ListKeysParams{Limit: new(int32(100))}); ; {
		r, err := s.customers.ListKeysWithResponse(v.ctx(), integrator, params)
		list, err := read(r, err)
		if err != nil {
			return key, err
		}
		for _, key := range list.Data {
			if key.ID == id {
				return key, nil
			}
		}
		if params.Cursor = list.NextCursor; params.Cursor == nil {
			return key, fault.New(common.CodeKeyNotFound, fmt.Sprintf("There is no key %d.", id))
		}
	}
}

func (s *service) askRevokeKey(v *visit) error {
	key, err := s.readKey(v)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, view.RevokeKey(v.page, key, view.NewForm()))
}

func (s *service) revokeKey(v *visit) error {
	key, err := s.readKey(v)
	if err != nil {
		return err
	}
	form, err := readForm(v)
	if err != nil {
		return err
	}
	r, err := s.customers.RevokeKeyWithResponse(v.ctx(), key.IntegratorID, key.ID, &api.RevokeKeyParams{IdempotencyKey: &form.Key})
	if err := finished(r, err); err != nil {
		return v.refuse(form, err, view.RevokeKey(v.page, key, form))
	}
	return v.redirect(integratorPath(key.IntegratorID), view.KeyRevoked)
}
