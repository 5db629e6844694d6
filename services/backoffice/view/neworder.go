package view

import (
	"fmt"
	"math/bits"
	"strconv"

	api "github.com/pedidos-hq/pedidos/gen/customers"
	"github.com/pedidos-hq/pedidos/gen/orders"
	"github.com/pedidos-hq/pedidos/services/backoffice/text"
)

// The notices about new orders.
const (
	PlacedNotice    Notice = "order-placed"
	PlacedConfirmed Notice = "order-placed-confirmed"
)

func newOrderNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{PlacedNotice: t.DraftPlaced(), PlacedConfirmed: t.DraftPlacedConfirmed()}
}

// The limits of an order in the contract.
const (
	MaxLines = 100
	MaxUnits = 1_000_000 // of one line
)

// maxTotal is the largest total of an order, in cents.
const maxTotal = 1<<53 - 1

// Draft is an order that is being typed.
type Draft struct {
	*Form
	Known    []KnownCustomer // those offered, one of which may be typed
	Choices  []api.Customer  // to choose from, if what is typed matches several
	Lines    []*DraftLine
	Products []orders.Product // that match what is typed in the box that adds lines
	Choose   bool             // whether to choose from Products, or only to suggest them
	Pasted   []PastedFault    // why lines that were pasted are not added
	Notes    []string         // what has happened to the order and is not asked for
	Stale    bool             // prices and stock could not be read
	Focus    string           // id of the input to go on with
}

// The names of the fields of a Draft. Each of KnownField and ProductField is an id and, after a space, what is shown of it.
const (
	CustomerField = "customer"
	KnownField    = "known"
	ProductField  = "product"
	AddField      = "add"
	PasteField    = "paste"
)

// What the buttons that place an order send as "do". The others send "refresh", and a form that sends itself sends nothing.
const (
	DoPlace   = "place"
	DoConfirm = "confirm"
)

// QtyField returns the name of the field with the units of a product.
func QtyField(product int64) string { return fmt.Sprintf("qty.%d", product) }

// KnownCustomer is a customer, with the text that names it.
type KnownCustomer struct {
	ID    int64
	Label string
}

// NewKnownCustomer returns a customer with its name and e-mail address.
func NewKnownCustomer(c api.Customer) KnownCustomer {
	return KnownCustomer{c.ID, fmt.Sprintf("%s <%s>", c.Name, c.Email)}
}

// Customer returns the id of the customer that is typed, or 0 if none of those offered is.
func (d *Draft) Customer() int64 {
	for _, known := range d.Known {
		if known.Label == d.Get(CustomerField) {
			return known.ID
		}
	}
	return 0
}

// SetCustomer types a customer.
func (d *Draft) SetCustomer(c api.Customer) {
	d.Known = []KnownCustomer{NewKnownCustomer(c)}
	d.Values.Set(CustomerField, d.Known[0].Label)
}

// Line returns the line of a product, or nil.
func (d *Draft) Line(product int64) *DraftLine {
	for _, line := range d.Lines {
		if line.ID == product {
			return line
		}
	}
	return nil
}

// Add adds units of a product, in a line of its own if it has none. It reports whether there was space.
func (d *Draft) Add(p orders.Product, units int64) bool {
	line := d.Line(p.ID)
	switch {
	case line == nil && len(d.Lines) >= MaxLines:
		return false
	case line == nil:
		line = &DraftLine{ID: p.ID, SKU: p.SKU}
		d.Lines = append(d.Lines, line)
	}
	if before, ok := ParseUnits(line.Qty); ok {
		units += before
	}
	line.Qty = strconv.FormatInt(units, 10)
	return true
}

// Units returns the units of all lines that have a valid number.
func (d *Draft) Units() (sum int64) {
	for _, line := range d.Lines {
		if units, ok := ParseUnits(line.Qty); ok {
			sum += units
		}
	}
	return sum
}

// Total returns the total in cents, and whether it is known and not too large.
func (d *Draft) Total() (cents int64, ok bool) {
	for _, line := range d.Lines {
		subtotal, ok := line.Subtotal()
		if !ok || cents+subtotal > maxTotal {
			return 0, false
		}
		cents += subtotal
	}
	return cents, true
}

// DraftLine is a line that is being typed.
type DraftLine struct {
	ID      int64 // of the product
	SKU     string
	Qty     string
	Product *orders.Product // as it is now; nil if that is not known
}

// Subtotal returns the subtotal in cents, and whether it is known and not too large.
func (l *DraftLine) Subtotal() (cents int64, ok bool) {
	units, ok := ParseUnits(l.Qty)
	if !ok || l.Product == nil {
		return 0, false
	}
	high, low := bits.Mul64(uint64(units), uint64(l.Product.PriceCents))
	return int64(low), high == 0 && low <= maxTotal
}

// ParseUnits reads the units of a line, and reports whether the text is a number that an order may have.
func ParseUnits(text string) (units int64, ok bool) {
	units, err := strconv.ParseInt(text, 10, 64)
	return units, err == nil && units >= 1 && units <= MaxUnits && text[0] != '+'
}

// PastedFault says why a line that was pasted is not added.
type PastedFault struct {
	Line int // in the box, from 1
	Text string
	Why  string
}

// numbered returns an id and what is shown of it, as in KnownField and ProductField.
func numbered(id int64, label string) string { return strconv.FormatInt(id, 10) + " " + label }
