// Package etag turns the version of a resource into its entity tag, and If-Match into the versions that a change accepts.
package etag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// Of returns the entity tag of a version.
func Of(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// Match is the precondition of a change. The zero value accepts any version.
type Match struct{ tags []string }

// ParseMatch reads an If-Match header, nil if absent. Tags are compared strongly (RFC 9110, 8.8.3.2): a weak tag never
// matches.
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

// Check returns a precondition_failed error unless the precondition accepts the current version.
func (m Match) Check(version int64) error {
	current := Of(version)
	if m.tags == nil || slices.Contains(m.tags, current) {
		return nil
	}
	return fault.New(common.CodePreconditionFailed, fmt.Sprintf("The resource has changed since; its ETag is now %s.", current))
}
