package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

// windowsIn answers the calls of one rule, compiled, that are twins of windows, and those of now that are none.
func windowsIn(t *testing.T, name, text string) []string {
	t.Helper()
	module := ast.MustParseModuleWithOpts("package p\n"+text, ast.ParserOptions{RegoVersion: ast.RegoV1})
	compiler := ast.NewCompiler().WithCapabilities(capabilities())
	if compiler.Compile(map[string]*ast.Module{"p.rego": module}); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	compiled := []*ast.Module{compiler.Modules["p.rego"]}
	findWindows(compiled)
	found := []string{}
	for _, rule := range compiled[0].Rules {
		if rule.Head.Ref()[0].Value.String() != name {
			continue
		}
		ast.WalkExprs(rule, func(expr *ast.Expr) bool {
			if !expr.IsCall() {
				return false
			}
			called := expr.Operator().String()
			if short, is := strings.CutPrefix(called, `__vt["`); is {
				called = "twin of " + strings.ReplaceAll(strings.TrimSuffix(short, `"]`), `"].`, ".")
			}
			called = strings.ReplaceAll(called, "__vt.", "twin of ")
			if called == nowName || strings.HasPrefix(called, "twin of") {
				for _, operand := range expr.Operands() {
					switch value := operand.Value.(type) {
					case *ast.Array:
						if strings.HasPrefix(called, "twin of time") {
							continue
						}
						parts := value.String()
						called += " " + parts
					case ast.Number:
						called += " " + string(value)
					}
				}
				found = append(found, called)
			}
			return false
		})
	}
	slices.Sort(found)
	return found
}

const clock = "twin of time.now_ns"

func TestWindows(t *testing.T) {
	for _, example := range []struct {
		why, rule string
		wanted    []string
	}{
		{"a comparison", `r if time.now_ns() < input.until`, []string{`twin of lt [0]`, clock}},
		{"the other side", `r if input.until >= time.now_ns()`, []string{`twin of gte [1]`, clock}},
		{"a variable, twice", `r if { now := time.now_ns(); input.from <= now; now != input.until }`,
			[]string{`twin of lte [1]`, `twin of neq [0]`, clock}},
		{"sums with constants", `r if floor(time.now_ns() / 1000) - 5 > input.x`,
			[]string{`twin of gt [0, ["div", 0, 1000], ["floor"], ["minus", 0, 5]]`, clock}},
		{"not", `r if not time.now_ns() < input.until`, []string{`twin of lt [0]`, clock}},
		{"every", `r if { now := time.now_ns(); every x in input.xs { x.from < now } }`, []string{`twin of lt [1]`, clock}},
		{"comprehension", `r := [x | some x in input.xs; x < time.now_ns()]`, []string{`twin of lt [1]`, clock}},
		{"a boolean", `r := time.now_ns() > input.x`, []string{`twin of gt [0]`, clock}},
		{"else", `r := 1 if input.x else := 2 if time.now_ns() < 5`, []string{`twin of lt 5 [0]`, clock}},
		{"unification", `r if { x = time.now_ns(); x > 5 }`, []string{`twin of gt 5 [0]`, clock}},
		{"hours", `r if { [h, _, _] := time.clock(time.now_ns()); h < 5 }`, []string{"twin of time.clock 0", clock}},
		{"minutes", `r if { [h, m, _] := time.clock([time.now_ns(), "UTC"]); m < h }`, []string{"twin of time.clock 1", clock}},
		{"seconds", `r if { [_, _, s] := time.clock(time.now_ns()); s < 5 }`, []string{"twin of time.clock 2", clock}},
		{"constant seconds", `r if [_, _, 5] = time.clock(time.now_ns())`, []string{"twin of time.clock 2", clock}},
		{"an index", `r if { c := time.clock(time.now_ns()); c[0] < 5; c[1] > 5 }`, []string{"twin of time.clock 1", clock}},
		{"any index", `r if { c := time.clock(time.now_ns()); c[_] < 5 }`, []string{"twin of time.clock 2", clock}},
		{"a clock as it is", `r := time.clock(time.now_ns())`, []string{"twin of time.clock 2", clock}},
		{"a clock compared", `r if { c := time.clock(time.now_ns()); [h, _, _] := c; h < 5; c == input.c }`,
			[]string{"twin of time.clock 2", clock}},
		{"days", `r if { time.weekday(time.now_ns()) in {"Monday"}; [y, _, _] := time.date(time.now_ns()); y > 5 }`,
			[]string{"twin of time.date", clock, clock, "twin of time.weekday"}},
		{"a rule", `r if input.x < now_s
			now := time.now_ns()
			now_s := now / 1000`, []string{`twin of lt [1, ["div", 0, 1000]]`, clock}},
		{"a rule in closures", `r if { every x in input.xs { x < now; count([y | some y in x; y > now]) > 0 } }
			now := time.now_ns()`, []string{`twin of gt [1]`, `twin of lt [1]`, clock, clock}},
		{"a rule that is replaced", `r if input.x < now
			s if r with data.p.now as 5
			now := time.now_ns()`, []string{}},
		{"a rule with more than now", `r if input.x < now
			now := time.now_ns() if input.y`, []string{}},
		{"with on now", `r if { x := time.now_ns(); x < 5 }
			s if r with time.now_ns as 5`, []string{`twin of lt 5 [0]`, clock}},
		{"with on lt", `r if { x := time.now_ns(); x < 5 }
			s if r with plus as f
			f(x, y) := x`, []string{nowName}},
		{"a mocked now", `r if { x := time.now_ns() with time.now_ns as 5; x < 5 }`, []string{nowName}},
		{"now in the answer", `r := now if { now := time.now_ns(); now > 5 }`, []string{nowName}},
		{"one of two", `r if { now := time.now_ns(); now > 5; abs(now) > 3; time.now_ns() > 7 }`,
			[]string{nowName, `twin of gt 7 [0]`, clock}},
		{"made of now, in the answer", `r := x if { now := time.now_ns(); now > 5; x := now + 1 }`, []string{nowName}},
		{"now in a function", `r if f(time.now_ns())
			f(x) if x > 5`, []string{nowName}},
		{"now in a collection", `r if { x := [time.now_ns()]; x[0] > 5 }`, []string{nowName}},
		{"now and now", `r if { now := time.now_ns(); now - now < 5 }`, []string{nowName}},
		{"two nows", `r if { a := time.now_ns(); b := time.now_ns(); a < b }`, []string{nowName, nowName}},
		{"equality", `r if time.now_ns() == input.x`, []string{nowName}},
		{"a divisor", `r if 5 / time.now_ns() > 3`, []string{nowName}},
		{"ceil", `r if ceil(time.now_ns() / 7) > 3`, []string{nowName}},
		{"a calendar of another time", `r if { [h, _, _] := time.clock(time.now_ns() + 5); h > 3 }`, []string{nowName}},
		{"a template", "r := $\"at {now}\" if { now := time.now_ns(); now > 5 }", []string{nowName}},
		{"an index", `r if { now := time.now_ns(); now > 5; input.a[now] }`, []string{nowName}},
		{"a member", `r if { now := time.now_ns(); now > 5; now in input.a }`, []string{nowName}},
		{"a key", `r[now] := 1 if { now := time.now_ns(); now > 5 }`, []string{nowName}},
		{"an item", `r contains now if { now := time.now_ns(); now > 5 }`, []string{nowName}},
		{"in a comprehension", `r := {now: 1 | input.a} if { now := time.now_ns(); now > 5 }`, []string{nowName}},
		{"as a mock", `r if { now := time.now_ns(); now > 5; s with input as {"x": now} }
			s if input.x > 5`, []string{nowName}},
		{"in every", `r if { now := time.now_ns(); every x in [now] { x > 5 } }`, []string{nowName}},
		{"beside or", `r := 1 if { now := time.now_ns(); now > 5 } else := now if { now := time.now_ns(); now > 3 }`,
			[]string{nowName, `twin of gt 5 [0]`, clock}},
		{"an argument", `r(now) if { now = time.now_ns(); now > 5 }`, []string{nowName}},
		{"a pattern", `r if { [now, 1] = [time.now_ns(), input.x]; now > 5 }`, []string{nowName}},
		{"a name used twice", `r if { [1 | x = time.now_ns(); x > 5]; [1 | x = 6; x > 5] }`, []string{nowName}},
	} {
		if found := windowsIn(t, "r", example.rule); !slices.Equal(found, example.wanted) {
			t.Errorf("%s: %q, not %q", example.why, found, example.wanted)
		}
	}
}

func TestMocksOfNowReplaceItsTwin(t *testing.T) {
	module := ast.MustParseModuleWithOpts("package p\nr if time.now_ns() < 5\ns if r with time.now_ns as 3", ast.ParserOptions{RegoVersion: ast.RegoV1})
	compiler := ast.NewCompiler().WithCapabilities(capabilities())
	compiler.Compile(map[string]*ast.Module{"p.rego": module})
	findWindows([]*ast.Module{compiler.Modules["p.rego"]})
	text := compiler.Modules["p.rego"].Rules[1].Body.String()
	if !strings.Contains(text, "with time.now_ns as 3") || strings.Count(text, " as 3") != 2 {
		t.Error(text)
	}
}
