package pedidos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strings"
)

// list returns the entries of all pages.
func list[T any](ctx context.Context, c *Client, op operation, filter any, ids ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		query, err := encodeQuery(filter)
		if err != nil {
			yield(none, &Error{Operation: op.describe(request{ids: ids}), Err: err})
			return
		}
		query.Set("limit", "100")
		for {
			page, err := call[struct {
				Data       []T    `json:"data"`
				NextCursor string `json:"next_cursor"`
			}](ctx, c, op, request{ids: ids, query: query}, nil)
			if err != nil {
				yield(none, err)
				return
			}
			for _, entry := range page.Data {
				if !yield(entry, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			query.Set("cursor", page.NextCursor)
		}
	}
}

// encodeQuery returns the parameters that a filter has as JSON members.
func encodeQuery(filter any) (url.Values, error) {
	text, err := json.Marshal(filter)
	if err != nil {
		return nil, err
	}
	members := json.NewDecoder(bytes.NewReader(text))
	members.UseNumber()
	var values map[string]any
	if err := members.Decode(&values); err != nil {
		return nil, err
	}
	query := url.Values{}
	for name, value := range values {
		several, ok := value.([]any)
		if !ok {
			several = []any{value}
		}
		var texts []string
		for _, one := range several {
			texts = append(texts, fmt.Sprint(one))
		}
		query.Set(name, strings.Join(texts, ","))
	}
	return query, nil
}
