package scenario

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// sales reads the report of random 30 days of the generated orders, which span the year 2025.
func sales(by string) func(context.Context, *Shop, *Load) (client, error) {
	return func(ctx context.Context, s *Shop, l *Load) (client, error) {
		if err := s.logIn(ctx); err != nil {
			return nil, err
		}
		return pages(s, l, periods(by)...), nil
	}
}

// periods returns the paths of the sales reports of all 30 days of a year.
func periods(by string) (paths []string) {
	for day := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC); day.Year() == 2025; day = day.AddDate(0, 0, 1) {
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

// createWatched places orders of one line while somebody reads the reports of a home page every second.
func createWatched(ctx context.Context, s *Shop, l *Load) (client, error) {
	next, err := create(1)(ctx, s, l)
	if err != nil {
		return nil, err
	}
	watch, watched := l.caller(s.Orders, s.token), make(chan struct{})
	var reading sync.WaitGroup
	reading.Go(func() {
		days, random := periods("day"), l.random(-1)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			for _, path := range []string{pick(random, days), "/reports/orders", "/reports/stock"} {
				_ = watch.Get(path) // the load is about the orders
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
	return next, nil
}
