package pedidos

import (
	"context"
	"errors"
	"time"
)

// credentials has the token that calls send.
type credentials struct {
	apiKey, username, password string

	turn  chan struct{} // guards token and until; unlike a mutex, it can be awaited together with a context
	token string
	until time.Time // when a new token is needed
}

// token returns the API key, or an access token other than refused, or "" if the operation takes none. Concurrent callers share one login.
func (c *Client) token(ctx context.Context, op operation, refused string) (string, *Error) {
	t := c.credentials
	switch {
	case op.open:
		return "", nil
	case t.username == "":
		return t.apiKey, nil
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", &Error{Operation: login.describe(request{}), Err: context.Cause(ctx)}
	}
	if t.token != refused && time.Now().Before(t.until) {
		return t.token, nil
	}
	asked := time.Now()
	answer, err := call[struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}](ctx, c, login, request{body: map[string]string{"username": t.username, "password": t.password}}, nil)
	if err != nil {
		var failed *Error
		errors.As(err, &failed)
		return "", failed
	}
	t.token, t.until = answer.AccessToken, asked.Add(time.Duration(answer.ExpiresIn)*time.Second*9/10)
	return t.token, nil
}
