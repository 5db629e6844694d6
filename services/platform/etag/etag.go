// Package etag implements entity tags of versioned resources, and the precondition If-Match (RFC 9110, section 13.1.1).
package etag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Of returns the strong entity tag of a version, with its quotes.
func Of(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Match is the precondition of a change. The zero value accepts all versions.
type Match struct{ tags []string }

// ParseMatch returns the precondition of an If-Match header, which is nil if absent. Weak and malformed tags match no version (RFC
// 9110, section 8.8.3.2). The header * matches all versions.
func ParseMatch(header *string) Match {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return Match{}
	}
	tags := strings.Split(*header, ",")
	for i, tag := range tags {
		tags[i] = strings.TrimSpace(tag)
	}
	return Match{tags}
}

// Check returns a precondition_failed error unless m accepts version, the current version of the resource.
func (m Match) Check(version int64) error {
	current := Of(version)
	if m.tags == nil || slices.Contains(m.tags, current) {
		return nil
	}
	return fault.New(common.CodePreconditionFailed, fmt.Sprintf("The resource does not match If-Match; its ETag is now %s.", current))
}
