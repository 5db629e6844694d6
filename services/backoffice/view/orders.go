package view

import "github.com/pedidos-hq/pedidos/services/backoffice/text"

func orderNotices(text.Texts) map[Notice]string { return nil }
