package idempotency

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// The headers that carry a key.
const (
	Header = "Idempotency-Key"
	Alias  = "X-Idempotency-Key"
)

const maxKey = 255

// ParseKey reads the two headers, which are nil where they are absent. The key is "" where both are.
func ParseKey(header, alias *string) (string, error) {
	other, err := parseHeader(Alias, alias) // first: where the alias alone was sent, header may be a copy of it
	if err != nil {
		return "", err
	}
	key, err := parseHeader(Header, header)
	if err != nil {
		return "", err
	}
	switch {
	case header == nil:
		return other, nil
	case alias == nil || key == other:
		return key, nil
	}
	return "", fault.Invalid(common.FieldError{Field: Alias, Message: "differs from " + Header})
}

func parseHeader(name string, value *string) (string, error) {
	if value == nil {
		return "", nil
	}
	key, err := parse(*value)
	if err != nil {
		return "", fault.Invalid(common.FieldError{Field: name, Message: err.Error()})
	}
	return key, nil
}

// parse reads a key, bare or as a structured-field string (RFC 9651, 4.2.5).
func parse(value string) (string, error) {
	key := strings.Trim(value, " ")
	if strings.HasPrefix(key, `"`) {
		var err error
		if key, err = unquote(key); err != nil {
			return "", err
		}
	}
	if key == "" || len(key) > maxKey {
		return "", fmt.Errorf("must have 1 to %d characters", maxKey)
	}
	for _, c := range []byte(key) {
		if c < 0x21 || c > 0x7e {
			return "", errors.New("must contain only visible ASCII characters")
		}
	}
	return key, nil
}

func unquote(quoted string) (string, error) {
	var key strings.Builder
	for i := 1; i < len(quoted); i++ {
		switch c := quoted[i]; c {
		case '"':
			if i != len(quoted)-1 {
				return "", errors.New("has text after its closing quote")
			}
			return key.String(), nil
		case '\\':
			i++
			if i == len(quoted) || (quoted[i] != '"' && quoted[i] != '\\') {
				return "", errors.New(`may escape only \" and \\`)
			}
			key.WriteByte(quoted[i])
		default:
			key.WriteByte(c)
		}
	}
	return "", errors.New("has no closing quote")
}

// ParsePost returns the Request of a POST: the key in its two headers, nil if absent, and its fingerprint.
func ParsePost(header, alias *string, path string, body any) (Request, error) {
	key, err := ParseKey(header, alias)
	if err != nil {
		return Request{}, err
	}
	fingerprint, err := Fingerprint(http.MethodPost, path, body)
	return Request{Key: key, Fingerprint: fingerprint}, err
}

// Fingerprint tells requests under one key apart. body is the request as it was decoded, so that neither blanks nor the
// order of members count; a body that may be left out is given as its empty value.
func Fingerprint(method, path string, body any) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256([]byte(method + "\n" + path + "\n" + string(encoded)))
	return sum[:], nil
}
