package pedidos_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"time"

	pedidos "github.com/pedidos-hq/pedidos/sdk/go"
)

// export is what the nightly export keeps: the orders as they are, and the time of the last change among them.
type export struct {
	Until  time.Time
	Orders map[pedidos.OrderID]pedidos.Order
}

// A nightly export, which reads only what has changed since the last one. It begins a minute earlier, as a change may become visible up to
// a minute after its time. The file EXPORT is replaced at the end, so that an export that is killed starts again where the last one ended.
func Example_export() {
	client, err := pedidos.New(pedidos.Config{URL: os.Getenv("PEDIDOS_URL"), APIKey: os.Getenv("PEDIDOS_KEY")})
	if err != nil {
		log.Fatal(err)
	}
	all := export{Orders: map[pedidos.OrderID]pedidos.Order{}}
	text, err := os.ReadFile(os.Getenv("EXPORT"))
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.Fatal(err)
	}
	since := all.Until.Add(-time.Minute)
	if all.Until.IsZero() {
		since = time.Unix(0, 0).UTC()
	}
	changed := 0
	for order, err := range client.Orders.List(context.Background(), pedidos.OrderFilter{UpdatedSince: since}) {
		if err != nil {
			log.Fatal(err)
		}
		all.Orders[order.ID], all.Until = order, order.UpdatedAt
		changed++
	}
	log.Printf("%d orders have changed", changed)
	if text, err = json.Marshal(all); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv("EXPORT")+".new", text, 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(os.Getenv("EXPORT")+".new", os.Getenv("EXPORT")); err != nil {
		log.Fatal(err)
	}
	fmt.Println("done")
	// Output: done
}
