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

// listName identifies the list in its cursors.
const listName = "c"

// list returns a page of customers, and the cursor of the next page.
func (s *service) list(ctx context.Context, p api.ListCustomersParams) (rows []customersdb.Customer, next *common.NextCursor, err error) {
	limit := page.Limit(p.Limit)
	after, err := page.After(listName, p.Cursor)
	if err != nil {
		return nil, nil, err
	}
	read := func(after, until int64, limit int32) (rows []customersdb.Customer, err error) {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
			rows, err = customersdb.New(conn).ListCustomers(ctx, customersdb.ListCustomersParams{
				AfterID: after, UntilID: until, Pattern: search.Pattern(p.Search), Limit: limit,
			})
			return err
		})
		return rows, err
	}
	behind := func(after int64, rows int32) (id int64, err error) {
		err = s.db.ReadReplica(ctx, func(conn database.Conn) (err error) {
			id, err = customersdb.New(conn).CustomerBehind(ctx, customersdb.CustomerBehindParams{AfterID: after, Offset: rows})
			return err
		})
		return id, err
	}
	return search.ByID(ctx, s.searches, p.Search != nil, after, limit, listName, read, behind,
		func(c customersdb.Customer) page.Position { return page.Position{c.ID} })
}

func (s *service) create(ctx context.Context, conn database.Conn, in api.CustomerInput) (customersdb.Customer, error) {
	now := s.now()
	row := customersdb.Customer{
		Name: in.Name, Email: in.Email, Phone: phoneNumber(in.Phone),
		ActiveEmail: activeEmail(in.Email), SearchText: search.Fold(in.Name, in.Email),
		Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	var err error
	row.ID, err = customersdb.New(conn).InsertCustomer(ctx, customersdb.InsertCustomerParams{
		Name: row.Name, Email: row.Email, Phone: row.Phone,
		ActiveEmail: row.ActiveEmail, SearchText: row.SearchText,
		CreatedAt: now, UpdatedAt: now,
	})
	return row, s.explain(err)
}

func (s *service) get(ctx context.Context, id int64) (row customersdb.Customer, err error) {
	err = s.db.Read(ctx, func(conn database.Conn) (err error) {
		row, err = customersdb.New(conn).GetCustomer(ctx, id)
		return err
	})
	return row, missing(err, id)
}

// phoneNumber returns the phone number to store. An empty string in a request means no phone number.
func phoneNumber(phone *string) *string {
	if phone != nil && *phone == "" {
		return nil
	}
	return phone
}

// customerChange is a change of the customer with an id.
type customerChange struct {
	id    int64
	match etag.Match
	api.CustomerChange
}

func (s *service) update(ctx context.Context, conn database.Conn, in customerChange) (customersdb.Customer, error) {
	q := customersdb.New(conn)
	row, err := q.LockCustomer(ctx, in.id)
	if err != nil {
		return row, missing(err, in.id)
	}
	if err := in.match.Check(row.Version); err != nil {
		return row, err
	}
	if in.Name != nil {
		row.Name = *in.Name
	}
	if in.Email != nil {
		row.Email = *in.Email
	}
	if in.Phone.IsSpecified() {
		text, _ := in.Phone.Get() // "" if it is null
		row.Phone = phoneNumber(&text)
	}
	row.ActiveEmail, row.SearchText = activeEmail(row.Email), search.Fold(row.Name, row.Email)
	row.Version, row.UpdatedAt = row.Version+1, s.now()
	return row, s.explain(q.UpdateCustomer(ctx, customersdb.UpdateCustomerParams{
		Name: row.Name, Email: row.Email, Phone: row.Phone,
		ActiveEmail: row.ActiveEmail, SearchText: row.SearchText,
		UpdatedAt: row.UpdatedAt, ID: in.id,
	}))
}

func (s *service) delete(ctx context.Context, conn database.Conn, id int64) (struct{}, error) {
	now := s.now()
	n, err := customersdb.New(conn).DeleteCustomer(ctx, customersdb.DeleteCustomerParams{DeletedAt: &now, ID: id})
	if err == nil && n == 0 {
		err = missing(database.ErrNotFound, id)
	}
	return struct{}{}, err
}

// explain turns database.ErrDuplicate into an email_taken error, since no other value that clients send must be unique.
func (s *service) explain(err error) error {
	err = s.db.Classify(err)
	if errors.Is(err, database.ErrDuplicate) {
		return fault.New(common.CodeEmailTaken, "Another customer has this e-mail address.").
			About("email", "another customer has it")
	}
	return err
}

// missing turns database.ErrNotFound into a customer_not_found error.
func missing(err error, id int64) error {
	if errors.Is(err, database.ErrNotFound) {
		return fault.New(common.CodeCustomerNotFound, fmt.Sprintf("There is no customer %d.", id))
	}
	return err
}

// activeEmail returns the value of the column active_email, which is unique. Deletion sets it to NULL, so that the address can be
// used again.
func activeEmail(email string) *string {
	lower := strings.ToLower(email)
	return &lower
}
