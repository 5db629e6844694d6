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
	Known    []KnownCustomer // customers that the input suggests
	Choices  []api.Customer  // customers to choose from, if several match
	Lines    []*DraftLine
	Products []orders.Product // products that match the typed SKU or name
	Choose   bool             // whether to ask for one of Products, or only suggest them
	Pasted   []PastedFault    // the first pasted lines that could not be added
	Left     int              // number of pasted lines that could not be added
	Notes    []string         // changes that the person did not ask for
	Stale    bool             // customers, prices or stock could not be read
	Focus    string           // id of the input with the focus
}

// The names of the fields of a Draft. A value of KnownField or ProductField is an id, a space, and a label or a SKU.
const (
	CustomerField = "customer"
	KnownField    = "known"
	ProductField  = "product"
	AddField      = "add"
	PasteField    = "paste"
)

// The values of the field "do" that place an order. Other buttons send "refresh"; a form that the script sends has no such field.
const (
	DoPlace   = "place"
	DoConfirm = "confirm"
)

// QtyField returns the name of the field with the units of a product.
func QtyField(product int64) string { return fmt.Sprintf("qty.%d", product) }

// KnownCustomer is a customer and the label by which a person selects it.
type KnownCustomer struct {
	ID    int64
	Label string
}

// NewKnownCustomer returns a customer whose label is its name and e-mail address.
func NewKnownCustomer(c api.Customer) KnownCustomer {
	return KnownCustomer{c.ID, fmt.Sprintf("%s <%s>", c.Name, c.Email)}
}

// Customer returns the id of the known customer whose label is typed, or 0.
func (d *Draft) Customer() int64 {
	for _, known := range d.Known {
		if known.Label == d.Get(CustomerField) {
			return known.ID
		}
	}
	return 0
}

// SetCustomer selects a customer.
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

// Add adds units of a product to its line, or adds a line. It reports whether it could: an order has at most MaxLines lines.
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

// Total returns the total in cents. It reports whether all subtotals are known and the total is not too large.
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
	Product *orders.Product // nil if it is unknown
}

// Subtotal returns the subtotal in cents. It reports whether it is known and not too large.
func (l *DraftLine) Subtotal() (cents int64, ok bool) {
	units, ok := ParseUnits(l.Qty)
	if !ok || l.Product == nil {
		return 0, false
	}
	high, low := bits.Mul64(uint64(units), uint64(l.Product.PriceCents))
	return int64(low), high == 0 && low <= maxTotal
}

// ParseUnits reads the units of a line, and reports whether the contract allows them.
func ParseUnits(text string) (units int64, ok bool) {
	units, err := strconv.ParseInt(text, 10, 64)
	return units, err == nil && units >= 1 && units <= MaxUnits && text[0] != '+'
}

// PastedFault says why a pasted line could not be added.
type PastedFault struct {
	Line int // of the input, from 1
	Text string
	Why  string
}

// numbered returns a value of KnownField or ProductField.
func numbered(id int64, label string) string { return strconv.FormatInt(id, 10) + " " + label }
