package idempotency

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// The request headers that carry a key.
const (
	Header = "Idempotency-Key"
	Alias  = "X-Idempotency-Key"
)

const maxKey = 255

// ParseKey returns the key in the headers Header and Alias, which are nil if absent. It returns "" if both are absent, and an
// invalid_input error if a key is malformed or the two differ.
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

// Parse returns a Request with its key, as in ParseKey, and its fingerprint.
func Parse(method string, header, alias *string, path string, body any) (Request, error) {
	key, err := ParseKey(header, alias)
	if err != nil {
		return Request{}, err
	}
	fingerprint, err := Fingerprint(method, path, body)
	return Request{Key: key, Fingerprint: fingerprint}, err
}

// Fingerprint returns a fingerprint of a request, by which a reuse of its key for another request is detected. Body is the decoded
// body, so that neither white space nor the order of members matters. Pass the empty value for an absent optional body.
func Fingerprint(method, path string, body any) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256([]byte(method + "\n" + path + "\n" + string(encoded)))
	return sum[:], nil
}
