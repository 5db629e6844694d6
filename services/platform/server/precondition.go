package server

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

// ETag is the entity tag of a version.
func ETag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// CheckIfMatch compares an If-Match header, nil where it is absent, with the version that is there. The comparison is
// the strong one (RFC 9110, 8.8.3.2): a weak tag never matches.
func CheckIfMatch(header *string, version int64) error {
	if header == nil || strings.TrimSpace(*header) == "*" {
		return nil
	}
	current := ETag(version)
	for tag := range strings.SplitSeq(*header, ",") {
		if strings.TrimSpace(tag) == current {
			return nil
		}
	}
	return fault.New(common.CodePreconditionFailed, fmt.Sprintf("The resource has changed since; its ETag is now %s.", current))
}
