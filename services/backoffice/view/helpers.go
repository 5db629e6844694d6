package view

import (
	"cmp"
	"slices"
)

// area is an entry of the navigation.
type area struct{ path, title string }

// areas returns the entries of the navigation that the role may use.
func areas(p *Page) (all []area) {
	for _, a := range []struct {
		area
		needs string
	}{
		{area{"/", p.Text.Home()}, "listOrders"},
		{area{"/orders", p.Text.Orders()}, "listOrders"},
		{area{"/products", p.Text.Products()}, "listProducts"},
		{area{"/customers", p.Text.Customers()}, "listCustomers"},
		{area{"/team", p.Text.Team()}, "listUsers"},
	} {
		if p.May(a.needs) {
			all = append(all, a.area)
		}
	}
	return all
}

// zoneSource returns "set" if the time zone is known. If it is "default", the script sets that of the browser.
func zoneSource(p *Page) string {
	if p.Locale.ZoneKnown() {
		return "set"
	}
	return "default"
}

// filterFaults returns the faults of the filter of a list, each with the label of its field.
func filterFaults(p *Page, filter *Form) (all []string) {
	labels := map[string]string{
		"search": p.Text.Search(), "status": p.Text.OrderStatus(), "from": p.Text.OrdersFrom(), "to": p.Text.OrdersTo(),
		"customer_id": p.Text.Customer(), "product_id": p.Text.OrderProduct(), "archived": p.Text.ArchivedProducts(),
		"actor": p.Text.AuditActor(), "action": p.Text.AuditAction(),
	}
	for field, fault := range filter.Faults {
		if label := labels[field]; label != "" {
			fault = label + ": " + fault
		}
		all = append(all, fault)
	}
	slices.Sort(all)
	return all
}

func or(values ...string) string { return cmp.Or(values...) }

// str returns the text, or "" for nil.
func str(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
