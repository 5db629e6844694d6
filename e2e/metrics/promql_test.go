package metrics

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
)

// scrape is a list of series as Prometheus has them: their labels, with the name of the metric as __name__.
type scrape []map[string]string

var sample = regexp.MustCompile(`^(\w+)(?:{(.*)})? \S+$`)

// add adds the series of a page of metrics, with the labels that Prometheus adds for the target, and the series up.
func (s *scrape) add(t *testing.T, page, instance string) {
	t.Helper()
	*s = append(*s, map[string]string{"__name__": "up", "job": "pedidos", "instance": instance})
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		found := sample.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil {
			t.Fatalf("%s shows %q", instance, line)
		}
		series := map[string]string{"__name__": found[1], "job": "pedidos", "instance": instance}
		for _, label := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(found[2], -1) {
			if series[label[1]] != "" { // Prometheus would rename such a label
				t.Errorf("%s shows %q, whose label %s is also a label of the target", instance, line, label[1])
			}
			series[label[1]] = label[2]
		}
		*s = append(*s, series)
	}
}

// check returns the faults of an expression: metrics, labels and values of labels that do not exist. The result must have the
// labels in shown.
func (s scrape) check(expr string, shown ...string) (faults []string) {
	e, err := metricsql.Parse(expr)
	if err != nil {
		return []string{err.Error()}
	}
	c := checker{scrape: s}
	result := c.labels(e)
	for _, label := range shown {
		c.want(result, label, "the result")
	}
	return c.faults
}

type checker struct {
	scrape
	faults []string
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

// labels is the set of labels of a result. It is nil if the labels are unknown because a metric or label is missing.
type labels map[string]bool

func (c *checker) want(have labels, label, where string) {
	if have != nil && !have[label] {
		c.fault("%s has no label %s", where, label)
	}
}

// labels returns the labels of the result of an expression.
func (c *checker) labels(e metricsql.Expr) labels {
	switch e := e.(type) {
	case *metricsql.MetricExpr:
		return c.selected(e)
	case *metricsql.RollupExpr:
		return c.labels(e.Expr)
	case *metricsql.FuncExpr:
		if e.Name == "absent" {
			return c.absent(e)
		}
		result := c.all(e.Args)
		if e.Name == "histogram_quantile" {
			c.want(result, "le", string(e.AppendString(nil)))
			delete(result, "le")
		}
		return result
	case *metricsql.AggrFuncExpr:
		inner, result := c.all(e.Args), labels{}
		if e.Modifier.Op != "" && e.Modifier.Op != "by" {
			c.fault("%s: not known here", e.AppendString(nil))
		}
		for _, label := range e.Modifier.Args {
			c.want(inner, label, string(e.AppendString(nil)))
			result[label] = true
		}
		return result
	case *metricsql.BinaryOpExpr:
		left, right := c.labels(e.Left), c.labels(e.Right)
		if left == nil || right == nil {
			return nil
		}
		if _, constant := e.Right.(*metricsql.NumberExpr); !constant && !maps.Equal(left, right) {
			c.fault("%s has the labels %v on the left and %v on the right", e.AppendString(nil),
				slices.Sorted(maps.Keys(left)), slices.Sorted(maps.Keys(right)))
		}
		return left
	case *metricsql.NumberExpr, *metricsql.StringExpr:
		return labels{}
	}
	c.fault("%s: not known here", e.AppendString(nil))
	return nil
}

// all returns the union of the labels of the arguments.
func (c *checker) all(args []metricsql.Expr) labels {
	result := labels{}
	for _, arg := range args {
		of := c.labels(arg)
		if of == nil {
			return nil
		}
		maps.Copy(result, of)
	}
	return result
}

// absent returns the labels of the result of absent(), which are those matched with =. The selected series must exist, as the
// services normally export them.
func (c *checker) absent(e *metricsql.FuncExpr) labels {
	result := labels{}
	for _, filter := range e.Args[0].(*metricsql.MetricExpr).LabelFilterss[0] {
		if filter.Label != "__name__" && !filter.IsNegative && !filter.IsRegexp {
			result[filter.Label] = true
		}
	}
	if c.all(e.Args) == nil {
		return nil
	}
	return result
}

var literals = regexp.MustCompile(`^\w+(\|\w+)*$`)

// selected returns the labels of the series that a selector matches.
func (c *checker) selected(e *metricsql.MetricExpr) labels {
	filters := e.LabelFilterss[0]
	name := filters[0].Value
	named := c.where(filters[:1])
	if len(named) == 0 {
		c.fault("there is no %s", name)
		return nil
	}
	for _, filter := range filters[1:] {
		values := map[string]bool{}
		for _, series := range named {
			values[series[filter.Label]] = true
		}
		if filter.IsRegexp && !literals.MatchString(filter.Value) {
			continue
		}
		for value := range strings.SplitSeq(filter.Value, "|") { // values of != and !~ must exist, too
			if !values[value] {
				c.fault("there is no %s with %s=%q", name, filter.Label, value)
			}
		}
	}
	found := c.where(filters)
	if len(found) == 0 {
		c.fault("there is no %s", e.AppendString(nil))
		return nil
	}
	result := labels{}
	for _, series := range found {
		for label := range series {
			result[label] = label != "__name__"
		}
	}
	delete(result, "__name__")
	return result
}

// where returns the series that match all filters.
func (s scrape) where(filters []metricsql.LabelFilter) (found []map[string]string) {
	for _, series := range s {
		if !slices.ContainsFunc(filters, func(f metricsql.LabelFilter) bool { return !fits(f, series[f.Label]) }) {
			found = append(found, series)
		}
	}
	return found
}

func fits(f metricsql.LabelFilter, value string) bool {
	is := value == f.Value
	if f.IsRegexp {
		is = regexp.MustCompile("^(?:" + f.Value + ")$").MatchString(value)
	}
	return is != f.IsNegative
}

// TestCheck checks that check finds missing metrics, labels and values.
func TestCheck(t *testing.T) {
	t.Parallel()
	var s scrape
	s.add(t, "requests_total{service=\"orders\",status=\"200\"} 7\nrequests_total{service=\"orders\",status=\"503\"} 1\n"+
		"seconds_bucket{le=\"1\"} 3\nrunning 1\n", "orders:9090")
	for _, test := range []struct {
		expr  string
		shown []string
		want  string // part of a fault; "" means no fault
	}{
		{expr: `rate(requests_total[5m])`, shown: []string{"service", "status", "job", "instance"}},
		{expr: `sum by (service) (rate(requests_total{status=~"5.."}[5m])) / sum by (service) (rate(requests_total[5m])) > 0.1`},
		{expr: `sum(running) > 0 unless sum(rate(requests_total{status!="503"}[1h] offset 1d)) > 0`},
		{expr: `absent(requests_total{service="orders",status=~"2.."}) or absent(requests_total{service="orders"})`, shown: []string{"service"}},
		{expr: `histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m])))`},
		{expr: `up{job="pedidos"} == 0`, shown: []string{"instance"}},

		{expr: `sum(`, want: "unparsed"},
		{expr: `rate(requests[5m])`, want: "there is no requests"},
		{expr: `running + stopped`, want: "there is no stopped"},
		{expr: `absent(stopped)`, want: "there is no stopped"},
		{expr: `running > 0 unless stopped`, want: "there is no stopped"},
		{expr: `requests_total{status="500"}`, want: `status="500"`},
		{expr: `requests_total{status!="500"}`, want: `status="500"`},
		{expr: `requests_total{status=~"200|404"}`, want: `status="404"`},
		{expr: `requests_total{status=~"4.."}`, want: "4.."},
		{expr: `requests_total{code="200"}`, want: `code="200"`},
		{expr: `sum by (code) (requests_total)`, want: "no label code"},
		{expr: `sum by (service) (requests_total) / sum by (instance) (requests_total)`, want: "on the left"},
		{expr: `histogram_quantile(0.9, sum by (job) (rate(seconds_bucket[5m])))`, want: "no label le"},
		{expr: `sum(requests_total)`, shown: []string{"service"}, want: "no label service"},
		{expr: `histogram_quantile(0.9, rate(seconds_bucket[5m]))`, shown: []string{"le"}, want: "no label le"},
		{expr: `absent(requests_total{service="orders"})`, shown: []string{"job"}, want: "no label job"},
	} {
		faults := s.check(test.expr, test.shown...)
		if test.want == "" && len(faults) > 0 || test.want != "" && !strings.Contains(strings.Join(faults, "\n"), test.want) {
			t.Errorf("%s, %q: found %q, want %q", test.expr, test.shown, faults, test.want)
		}
	}
}
