package view

import "github.com/pedidos-hq/pedidos/services/backoffice/text"

func teamNotices(text.Texts) map[Notice]string { return nil }
