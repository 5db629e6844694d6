package view

import "github.com/pedidos-hq/pedidos/services/backoffice/text"

// The notices about customers.
const (
	CustomerCreated Notice = "customer-created"
	CustomerChanged Notice = "customer-changed"
	CustomerDeleted Notice = "customer-deleted"
)

func customerNotices(t text.Texts) map[Notice]string {
	return map[Notice]string{CustomerCreated: t.CustomerCreated(), CustomerChanged: t.Saved(), CustomerDeleted: t.CustomerDeleted()}
}
