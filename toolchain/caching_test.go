package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

func TestWhatAnAnswerRestsOnIsToldWithItsPlace(t *testing.T) {
	compiler, reads := entrypointOf(t, `allow if {
	input.a.b == 1
	used
	data.list[input.c].x
	now % 2 == 0
}

now := time.now_ns()

used if time.now_ns() > data.limits.late

used if {
	[_, claims, _] := io.jwt.decode(input.token)
	count(input.d[claims.x].y) == 1
}

unused := rand.intn("a", 3)`)
	findWindows([]*ast.Module{compiler.Modules["p.rego"]})
	found := newReach(compiler).cachingOf(entrypointRef("p/allow"), reads)
	texts := []string{}
	for _, one := range found.Reads {
		texts = append(texts, fmt.Sprintf("%v %s%s %s:%d", one.read, one.Why, "", one.File, one.Row))
	}
	if want := []string{"input.a.b  p.rego:3", "input.c  p.rego:5", "input.d dynamic p.rego:15", "input.token  p.rego:14"}; !slices.Equal(texts, want) {
		t.Errorf("reads %q", texts)
	}
	texts = nil
	for _, one := range found.Data {
		texts = append(texts, fmt.Sprintf("%s %s:%d:%d", strings.Join(one.Path, "."), one.File, one.Row, one.Col))
	}
	if want := []string{"limits.late p.rego:11:25", "list p.rego:5:2"}; !slices.Equal(texts, want) {
		t.Errorf("data %q", texts)
	}
	texts = nil
	for _, one := range found.Calls {
		texts = append(texts, fmt.Sprintf("%s %v %s:%d:%d", one.Builtin, one.Window, one.File, one.Row, one.Col))
	}
	if want := []string{"time.now_ns false p.rego:9:8", "time.now_ns true p.rego:11:9", "io.jwt.decode false p.rego:14:20"}; !slices.Equal(texts, want) {
		t.Errorf("calls %q", texts)
	}
}

func TestCallsOfNowAreToldApartByWhatIsMadeOfThem(t *testing.T) {
	sources := []source{{"p.rego", `package p
allow if {
	now < input.until
	[hour, _, _] := time.clock(time.now_ns())
	hour < 12
	time.now_ns() % 10 < 5
}
now := time.now_ns()`, 1}}
	answer := compileModule(&query{Modules: sources, Version: 1, Entry: []string{"p/allow", "p/now"}, Reasons: true})
	compiled, is := answer.Result.(compiledModule)
	if !is {
		t.Fatal(answer.Problems)
	}
	texts := []string{}
	for _, entrypoint := range compiled.Entrypoints {
		for _, one := range entrypoint.Caching.Calls {
			texts = append(texts, fmt.Sprintf("%s %s %v %d:%d", entrypoint.Path, one.Builtin, one.Window, one.Row, one.Col))
		}
	}
	want := []string{
		"p/allow time.now_ns true 4:29", "p/allow time.now_ns false 6:2", "p/allow time.now_ns true 8:8", "p/now time.now_ns false 8:8",
	}
	if !slices.Equal(texts, want) {
		t.Errorf("calls %q", texts)
	}
}

// indexed writes why definitions stay, and how many found ones there are.
func indexed(i *index) string {
	lines := []string{}
	if i.Hindrance != nil {
		lines = append(lines, fmt.Sprintf("nothing: %s %d:%d", i.Hindrance.Why, i.Hindrance.Row, i.Hindrance.Col))
	}
	for _, rule := range i.Rules {
		parts := []string{}
		for _, one := range rule.Found {
			parts = append(parts, fmt.Sprintf("%d by %v", one.Definitions, one.By))
		}
		for _, one := range rule.Tried {
			parts = append(parts, fmt.Sprintf("%d %s at %d", one.Definitions, one.Why, one.Row))
		}
		lines = append(lines, strings.TrimPrefix(rule.Path, "data.")+": "+strings.Join(parts, ", "))
	}
	return strings.Join(lines, "\n")
}

func TestTheIndexSaysWhyRulesAreTriedOneAfterTheOther(t *testing.T) {
	many := func(count int, line string) string {
		lines := []string{}
		for i := range count {
			lines = append(lines, strings.ReplaceAll(line, "#", fmt.Sprint(i)))
		}
		return strings.Join(lines, "\n") + "\n"
	}
	for _, c := range []struct{ name, text, want string }{
		{"found, and not", many(20, `permit if { input.a == "a#"; input.n == # }`) + "permit if input.n > 1",
			"p.permit: 20 by [input.a], 1 no-constant at 22"},
		{"few", many(3, `permit if input.a == "a#"`), "p.permit: 3 few at 2"},
		{"no gain", many(20, `permit if { input.a == "a"; input.n > # }`), "p.permit: 20 no-gain at 2"},
		{"kinds", many(2, `o[k] := 1 if { k := input.a; k == "#" }`) + many(2, `r.x := 1 if input.a == "#"`),
			"p.o[k]: 2 object at 2\np.r.x: 2 name at 4"},
		{"numbers, members, beginnings and arguments", many(40, `n if input.n == #`) + many(40, `m if "r#" in input.roles`) +
			many(40, `s if startswith(input.path, "/p#/")`) + many(40, `f(x) if x.kind == "k#"`) + many(40, `g("k#", _)`),
			"p.f: 40 by [argument 1.kind]\np.g: 40 by [argument 1]\np.m: 40 by [input.roles[_]]\np.n: 40 by [input.n]\np.s: 40 by [input.path]"},
		{"a rule alone", "default permit := false\npermit if input.a == \"a\"", ""},
		{"all of data", many(20, `permit if { input.a == "a#"; input.n == # }`) + "q if { some k; data[k].x }",
			"nothing: all-data 22:16\np.permit: 20 all-data at 2"},
		{"a mock", many(20, `permit if { input.a == "a#"; input.n == # }`) + "q if permit with data.x as 1",
			"nothing: mock 22:13\np.permit: 20 mock at 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := indexed(usualRegrouping.index(modulesOf(t, "package p\n"+c.text))); got != c.want {
				t.Errorf("got\n%s\nwanted\n%s", got, c.want)
			}
		})
	}
}
