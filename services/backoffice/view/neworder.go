package view

import "github.com/pedidos-hq/pedidos/services/backoffice/text"

func newOrderNotices(text.Texts) map[Notice]string { return nil }
