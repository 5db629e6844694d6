module github.com/pedidos-hq/pedidos/e2e

go 1.26.0
