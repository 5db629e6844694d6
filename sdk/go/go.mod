module github.com/pedidos-hq/pedidos/sdk/go

go 1.24.0
