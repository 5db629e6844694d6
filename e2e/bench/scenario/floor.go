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

// floorCreate is create, of the database alone.
func floorCreate(lines int) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		baskets, err := s.baskets(ctx, l.seed, lines)
		if err != nil {
			return nil, err
		}
		return floorPlace(ctx, s, l, baskets, false)
	}
}

// floorHot is hot, of the database alone: a transaction for each order.
func floorHot(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.hotBaskets(ctx, l.seed)
	if err != nil {
		return nil, err
	}
	return floorPlace(ctx, s, l, baskets, false)
}

// floorCreateConfirm is createConfirm, of the database alone: two transactions.
func floorCreateConfirm(ctx context.Context, s *Shop, l *Load) (client, error) {
	baskets, err := s.baskets(ctx, l.seed, 1)
	if err != nil {
		return nil, err
	}
	return floorPlace(ctx, s, l, baskets, true)
}

func floorPlace(ctx context.Context, s *Shop, l *Load, baskets []basket.Basket, confirm bool) (client, error) {
	at := s.Database
	at.Conns = 0 // no limit: each client has one
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

// numbered makes the errors of MySQL that are of a kind the same.
func numbered(err error) error {
	if e := (*mysql.MySQLError)(nil); errors.As(err, &e) {
		return fmt.Errorf("mysql %d", e.Number)
	}
	return err
}
