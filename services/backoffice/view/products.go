package view

import "github.com/pedidos-hq/pedidos/services/backoffice/text"

func productNotices(text.Texts) map[Notice]string { return nil }
