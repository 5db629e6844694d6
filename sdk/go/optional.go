package pedidos

import "encoding/json"

// Optional is a value, null, or absent. The zero value is absent: a change leaves the field as it is.
type Optional[T any] struct {
	value T
	state state
}

type state byte

const (
	absent state = iota
	null
	set
)

// Set returns a value that is present. Name the type of a numeric literal: Set[int64](8990).
func Set[T any](value T) Optional[T] { return Optional[T]{value, set} }

// Null returns null, which removes the value of a field.
func Null[T any]() Optional[T] { return Optional[T]{state: null} }

// Get returns the value and true, or the zero value and false if it is null or absent.
func (o Optional[T]) Get() (T, bool) { return o.value, o.state == set }

// IsZero reports whether the value is absent. Package json calls it.
func (o Optional[T]) IsZero() bool { return o.state == absent }

// MarshalJSON implements json.Marshaler.
func (o Optional[T]) MarshalJSON() ([]byte, error) {
	if o.state != set {
		return []byte("null"), nil
	}
	return json.Marshal(o.value)
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Optional[T]) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*o = Null[T]()
		return nil
	}
	o.state = set
	return json.Unmarshal(text, &o.value)
}
