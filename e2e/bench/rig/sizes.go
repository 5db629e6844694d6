package rig

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/scenario"
	"github.com/pedidos-hq/pedidos/services/platform/database"
)

// Attach returns a Rig with an orders-api for each of some databases of a running server, whose process has the id pid, and their shops
// in the same order. The databases must have the same customers, and orders up to the day before until. Attach adds units to their
// products. The Rig is never nil and must be closed.
func Attach(ctx context.Context, config Config, at database.MySQL, pid int, names []string, until time.Time, say func(format string, args ...any)) (*Rig, []*scenario.Shop, error) {
	r := newRig(config, until)
	r.mysql, r.names = &server{at: at, pid: pid}, names
	if err := r.build(ctx, say); err != nil {
		return r, nil, err
	}
	base := scenario.Shop{User: "admin", Password: adminPassword, Depth: config.Orders, Until: until, Database: at}
	var err error
	if base.Customers, err = r.launch(ctx, "customers", "customers", secrets(), r.database(names[0]), []string{"ADMIN_PASSWORD=" + adminPassword}); err != nil {
		return r, nil, err
	}
	var shops []*scenario.Shop
	for _, name := range names {
		if err := r.restock(ctx, name); err != nil {
			return r, nil, err
		}
		shop := base
		shop.Database.Name = name
		if shop.Orders, err = r.launch(ctx, "orders-"+name, "orders", secrets(), r.database(name), []string{"CUSTOMERS_API_BASE=" + base.Customers}); err != nil {
			return r, nil, err
		}
		shops = append(shops, &shop)
	}
	return r, shops, r.settle(ctx)
}

// StartReplicas makes a fresh database on a running server, or on one that it starts if at is nil, and starts as many orders-api over it
// as the largest of some numbers. Of a group, at is the primary, whose process has the id pid. It returns a shop for each number, whose
// clients use that many. The Rig is never nil and must be closed.
func StartReplicas(ctx context.Context, config Config, at *database.MySQL, pid int, numbers []int, say func(format string, args ...any)) (r *Rig, shops []*scenario.Shop, err error) {
	r = newRig(config, time.Now().UTC().Truncate(24*time.Hour))
	r.names = []string{fresh}
	if err := r.build(ctx, say); err != nil {
		return r, nil, err
	}
	if at != nil {
		r.mysql = &server{at: *at, pid: pid}
	} else {
		say("start MySQL")
		if r.mysql, err = startMySQL(ctx, config.BufferPool); err != nil {
			return r, nil, err
		}
	}
	if err := r.fill(ctx, fresh); err != nil {
		return r, nil, err
	}
	base := scenario.Shop{User: "admin", Password: adminPassword, Until: r.until, Database: r.mysql.at}
	if base.Customers, err = r.launch(ctx, "customers", "customers", secrets(), r.database(fresh), []string{"ADMIN_PASSWORD=" + adminPassword}); err != nil {
		return r, nil, err
	}
	var replicas []string
	for _, n := range numbers {
		for len(replicas) < n {
			url, err := r.launch(ctx, fmt.Sprintf("orders-%d", len(replicas)+1), "orders", secrets(), r.database(fresh), []string{"CUSTOMERS_API_BASE=" + base.Customers})
			if err != nil {
				return r, nil, err
			}
			replicas = append(replicas, url)
		}
		shop := base
		shop.Orders, shop.Replicas = replicas[0], replicas[:n:n]
		shops = append(shops, &shop)
	}
	return r, shops, r.settle(ctx)
}

// Placed counts the orders of a fresh database, the keys that created them, and the orders that the answers of these keys name. The three are
// equal if no key has placed two orders, and no order has come without its key.
func (r *Rig) Placed(ctx context.Context) (orders, keys, answered int64, err error) {
	err = r.mysql.with(ctx, fresh, func(conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM orders), COUNT(*), COUNT(DISTINCT headers)
FROM orders_idempotency WHERE status = 201`).Scan(&orders, &keys, &answered)
	})
	return orders, keys, answered, err
}
