package view

import (
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
)

// Form is a form with what is typed in it, and what is wrong with that.
type Form struct {
	Key    string // idempotency key of its effect
	ETag   string // of what it changes
	Values url.Values
	Note   string            // why it was refused
	Faults map[string]string // by field

	// Outdated is set if what the form changes has changed since.
	Outdated bool
}

// NewForm returns an empty form with a new key.
func NewForm() *Form {
	return &Form{Key: rand.Text(), Values: url.Values{}, Faults: map[string]string{}}
}

// The names of the hidden fields of a form.
const (
	keyField  = "key"
	etagField = "etag"
)

// Secret reports whether a field holds a password. It is never shown again, nor carried through a login.
func Secret(field string) bool {
	switch field {
	case "password", "current", "new":
		return true
	}
	return false
}

// ReadForm returns a form as it was sent, without surrounding white space in its fields. Secrets keep theirs.
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

// Fault notes what is wrong with a field.
func (f *Form) Fault(field, message string) { f.Faults[field] = message }

// OK reports whether nothing is wrong with the form.
func (f *Form) OK() bool { return f.Note == "" && len(f.Faults) == 0 }

// Refuse notes why the form was refused, and gives it a new key.
func (f *Form) Refuse(note string) { f.Note, f.Key = note, rand.Text() }

// Unclear notes why it is not known whether the form took effect. It keeps its key.
func (f *Form) Unclear(note string) { f.Note = note }

// Kept is a form that was sent after the session had ended. It is carried through the login.
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

// KeptPrefix begins the names of the fields of a kept form in the login form.
const KeptPrefix = "kept."
