package customers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/customersdb"
	"github.com/pedidos-hq/pedidos/services/platform/database"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
	"github.com/pedidos-hq/pedidos/services/platform/page"
	"github.com/pedidos-hq/pedidos/services/platform/search"
)

// listName is the name of the list in its cursors.
const listName = "c"

// list returns a page of the customers behind an id, and the cursor of the next one.
func (s *service) list(ctx context.Context, after int64, limit int32, text *string) (rows []customersdb.ListCustomersRow, next *common.NextCursor, err error) {
	read := func(after, until int64, limit int32) (rows []customersdb.ListCustomersRow, err error) {
		err = s.db.Read(ctx, func(conn database.Conn) (err error) {
			rows, err = customersdb.New(conn).ListCustomers(ctx, customersdb.ListCustomersParams{
				AfterID: after, UntilID: until, Pattern: search.Pattern(text), Limit: limit,
			})
			return err
		})
		return rows, err
	}
	behind := func(after int64, rows int32) (id int64, err error) {
		err = s.db.Read(ctx, func(conn database.Conn) (err error) {
			id, err = customersdb.New(conn).CustomerBehind(ctx, customersdb.CustomerBehindParams{AfterID: after, Offset: rows})
			return err
		})
		return id, err
	}
	return search.ByID(ctx, s.searches, text != nil, after, limit, listName, read, behind,
		func(r customersdb.ListCustomersRow) page.Position { return page.Position{r.ID} })
}

func (s *service) create(ctx context.Context, conn database.Conn, in api.CustomerInput) (api.Customer, error) {
	now, phone := s.now(), number(in.Phone)
	id, err := customersdb.New(conn).InsertCustomer(ctx, customersdb.InsertCustomerParams{
		Name: in.Name, Email: in.Email, Phone: phone,
		ActiveEmail: activeEmail(in.Email), SearchText: search.Fold(in.Name, in.Email),
		CreatedAt: now, UpdatedAt: now,
	})
	if err != nil {
		return api.Customer{}, s.explain(err)
	}
	return customer(customersdb.GetCustomerRow{
		ID: id, Name: in.Name, Email: in.Email, Phone: phone, Version: 1, CreatedAt: now, UpdatedAt: now,
	}), nil
}

func (s *service) get(ctx context.Context, id int64) (row customersdb.GetCustomerRow, err error) {
	err = s.db.Read(ctx, func(conn database.Conn) (err error) {
		row, err = customersdb.New(conn).GetCustomer(ctx, id)
		return err
	})
	return row, missing(err, id)
}

// number returns a phone number as it is kept: nil for none, which a request may also write as the empty text.
func number(phone *string) *string {
	if phone != nil && *phone == "" {
		return nil
	}
	return phone
}

func (s *service) update(ctx context.Context, id int64, match etag.Match, in api.CustomerChange) (row customersdb.GetCustomerRow, err error) {
	err = s.db.Tx(ctx, func(conn database.Conn) error {
		q := customersdb.New(conn)
		locked, err := q.LockCustomer(ctx, id)
		if err != nil {
			return missing(err, id)
		}
		row = customersdb.GetCustomerRow(locked)
		if err := match.Check(row.Version); err != nil {
			return err
		}
		if in.Name != nil {
			row.Name = *in.Name
		}
		if in.Email != nil {
			row.Email = *in.Email
		}
		if in.Phone.IsSpecified() {
			text, _ := in.Phone.Get() // "" where it is null
			row.Phone = number(&text)
		}
		row.Version, row.UpdatedAt = row.Version+1, s.now()
		return s.explain(q.UpdateCustomer(ctx, customersdb.UpdateCustomerParams{
			Name: row.Name, Email: row.Email, Phone: row.Phone,
			ActiveEmail: activeEmail(row.Email), SearchText: search.Fold(row.Name, row.Email),
			UpdatedAt: row.UpdatedAt, ID: id,
		}))
	})
	return row, err
}

func (s *service) delete(ctx context.Context, id int64) error {
	now := s.now()
	return s.db.Tx(ctx, func(conn database.Conn) error {
		n, err := customersdb.New(conn).DeleteCustomer(ctx, customersdb.DeleteCustomerParams{DeletedAt: &now, ID: id})
		if err == nil && n == 0 {
			err = missing(database.ErrNotFound, id)
		}
		return err
	})
}

// explain makes a refusal of the one duplicate that a customer can be.
func (s *service) explain(err error) error {
	err = s.db.Classify(err)
	if errors.Is(err, database.ErrDuplicate) {
		return fault.New(common.CodeEmailTaken, "Another customer has this e-mail address.").
			About("email", "another customer has it")
	}
	return err
}

func missing(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeCustomerNotFound, fmt.Sprintf("There is no customer %d.", id))
	}
	return err
}

// activeEmail is what is unique among customers that are not deleted.
func activeEmail(email string) *string {
	lower := strings.ToLower(email)
	return &lower
}
