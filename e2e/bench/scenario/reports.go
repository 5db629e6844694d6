package scenario

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pedidos-hq/pedidos/e2e/bench/drive"
)

// sales reads the report of random 30 days of the generated orders.
func sales(by string) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		if err := s.logIn(ctx); err != nil {
			return nil, err
		}
		return pages(s, l, s.periods(by)...), nil
	}
}

// periods returns the paths of the sales reports of every 30 days of the generated orders.
func (s *Shop) periods(by string) (paths []string) {
	for n := 30; n <= 365; n++ {
		day := s.Until.AddDate(0, 0, -n)
		paths = append(paths, fmt.Sprintf("/reports/sales?by=%s&from=%s&to=%s", by, day.Format(time.DateOnly), day.AddDate(0, 0, 29).Format(time.DateOnly)))
	}
	return paths
}

// report reads a report without parameters.
func report(path string) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		if err := s.logIn(ctx); err != nil {
			return nil, err
		}
		return pages(s, l, path), nil
	}
}

// createWatched places orders of one line while somebody reads the reports of a home page every second. Its operations fail after a
// report could not be read.
func createWatched(ctx context.Context, s *Shop, l *Load) (client, error) {
	next, err := create(1)(ctx, s, l)
	if err != nil {
		return nil, err
	}
	watch, watched := l.caller(s.Orders, s.token), make(chan struct{})
	var unread atomic.Pointer[error] // the first failure to read a report
	var reading sync.WaitGroup
	reading.Go(func() {
		days, random := s.periods("day"), l.random(-1)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			for _, path := range []string{pick(random, days), "/reports/orders", "/reports/stock"} {
				if err := watch.Get(path); err != nil {
					err = fmt.Errorf("%s: %w", path, err)
					unread.CompareAndSwap(nil, &err)
				}
			}
			select {
			case <-watched:
				return
			case <-tick.C:
			}
		}
	})
	l.onClose(func() {
		close(watched)
		reading.Wait()
	})
	return func(number int) (drive.Operation, error) {
		place, err := next(number)
		if err != nil {
			return nil, err
		}
		return func() error {
			if err := unread.Load(); err != nil {
				return *err
			}
			return place()
		}, nil
	}, nil
}
