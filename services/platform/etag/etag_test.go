package etag_test

import (
	"testing"

	"github.com/pedidos-hq/pedidos/gen/common"
	"github.com/pedidos-hq/pedidos/services/platform/etag"
	"github.com/pedidos-hq/pedidos/services/platform/fault"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	if err := etag.ParseMatch(nil).Check(3); err != nil {
		t.Errorf("without a header: %v", err)
	}
	for header, accepted := range map[string]bool{
		`"3"`:            true,
		` "3" `:          true,
		`"1", "3","7"`:   true,
		`*`:              true,
		` * `:            true,
		`"2"`:            false,
		`"33"`:           false,
		`"03"`:           false,
		`3`:              false,
		`W/"3"`:          false,
		`"1", *`:         false,
		`"1", W/"3"`:     false,
		``:               false,
		`,`:              false,
		`"1""3"`:         false,
		`"1", "2", "33"`: false,
	} {
		err := etag.ParseMatch(&header).Check(3)
		if accepted && err != nil {
			t.Errorf("If-Match: %s gives %v for version 3, want nil", header, err)
		}
		if !accepted && !fault.Is(err, common.CodePreconditionFailed) {
			t.Errorf("If-Match: %s gives %v for version 3, want precondition_failed", header, err)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	if got := etag.Of(3); got != `"3"` {
		t.Errorf("Of(3) = %s", got)
	}
	tag := etag.Of(1 << 60)
	if err := etag.ParseMatch(&tag).Check(1 << 60); err != nil {
		t.Errorf("the tag of a version does not match the version: %v", err)
	}
}
