package scenario

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-sql-driver/mysql"

	"github.com/pedidos-hq/pedidos/e2e/bench/basket"
	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
	"github.com/pedidos-hq/pedidos/e2e/bench/floor"
)

// floorCreate does the same as create in bare SQL.
func floorCreate(lines int) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		baskets, err := s.baskets(ctx, l.seed, lines)
		if err != nil {
			return nil, err
		}
		return floorPlace(ctx, s, l, baskets, false)
	}
}

// floorHot does the same as hot in bare SQL, with a transaction for each order.
func floorHot(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.hotBaskets(ctx, l.seed)
	if err != nil {
		return nil, err
	}
	return floorPlace(ctx, s, l, baskets, false)
}

// floorCreateConfirm does the same as createConfirm in bare SQL, with two transactions.
func floorCreateConfirm(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.baskets(ctx, l.seed, 1)
	if err != nil {
		return nil, err
	}
	return floorPlace(ctx, s, l, baskets, true)
}

func floorPlace(ctx context.Context, s *Shop, l *Load, baskets []basket.Basket, confirm bool) (client, error) {
	at := s.Database
	at.Conns = 0 // no limit, as each client has one connection
	db, err := floor.Open(at, false)
	if err != nil {
		return nil, err
	}
	l.onClose(func() { _ = db.Close() })
	return func(number int) (drive.Operation, error) {
		conn, err := db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		l.onClose(func() { _ = conn.Close() })
		session, keys, random := floor.NewSession(conn), l.keys(number), l.random(number)
		return func() error {
			id, err := session.Place(ctx, string(keys.Next()), pick(random, baskets))
			if err == nil && confirm {
				err = session.Confirm(ctx, string(keys.Next()), id)
			}
			return numbered(err)
		}, nil
	}, nil
}

// numbered reduces an error of MySQL to its number, so that errors of a kind are counted together.
func numbered(err error) error {
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		return fmt.Errorf("mysql %d", e.Number)
	}
	return err
}
