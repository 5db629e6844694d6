module github.com/pedidos-hq/pedidos/sql

go 1.26.0
