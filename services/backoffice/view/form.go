package view

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
)

// Form holds the values of a form and their faults.
type Form struct {
	Key    string // idempotency key of its effect
	ETag   string // of what it changes
	Values url.Values
	Note   string            // why it was refused, or why its outcome is unknown
	Faults map[string]string // by field
}

// LastYear is the last year of a day in a form. RFC 3339 ends with 9999, and a time zone may move the end of a day into the next year.
const (
	LastYear = 9998
	maxDay   = "9998-12-31"
)

// NewForm returns an empty form with a new key.
func NewForm() *Form {
	return &Form{Key: rand.Text(), Values: url.Values{}, Faults: map[string]string{}}
}

// The names of the hidden fields of a form.
const (
	keyField  = "key"
	etagField = "etag"
)

// Secret reports whether a field holds a password. Passwords are not shown again, and not kept while a person logs in.
func Secret(field string) bool {
	switch field {
	case "password", "current", "new":
		return true
	}
	return false
}

// ReadForm returns a form as it was sent. It removes white space around values, except around passwords.
func ReadForm(values url.Values) *Form {
	f := NewForm()
	f.Key, f.ETag = values.Get(keyField), values.Get(etagField)
	for name, all := range values {
		if name == keyField || name == etagField {
			continue
		}
		for _, value := range all {
			value = strings.ToValidUTF8(value, "\uFFFD")
			if !Secret(name) {
				value = strings.TrimSpace(value)
			}
			f.Values.Add(name, value)
		}
	}
	return f
}

// Get returns what is typed in a field.
func (f *Form) Get(field string) string { return f.Values.Get(field) }

// Fault sets the fault of a field.
func (f *Form) Fault(field, message string) { f.Faults[field] = message }

// OK reports whether the form has no fault.
func (f *Form) OK() bool { return f.Note == "" && len(f.Faults) == 0 }

// Refuse sets why the form was refused, and gives it a new key.
func (f *Form) Refuse(note string) { f.Note, f.Key = note, rand.Text() }

// Unclear sets why it is not known whether the form took effect. The form keeps its key.
func (f *Form) Unclear(note string) { f.Note = note }

// Kept is a form that was sent after the session had ended. The login form contains it, so that it can be sent after the login.
type Kept struct {
	Path   string
	Fields []KeptField
}

// Sort sorts the fields by name, and keeps the order of those with the same name.
func (k *Kept) Sort() {
	slices.SortStableFunc(k.Fields, func(a, b KeptField) int { return strings.Compare(a.Name, b.Name) })
}

// KeptField is a field of a Kept form.
type KeptField struct{ Name, Value string }

// KeptPrefix precedes the names of the fields of a kept form in the login form.
const KeptPrefix = "kept."
