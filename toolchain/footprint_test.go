package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

// styles are ways to read the input, each with the places that it reads.
var styles = []struct{ name, rules, reads string }{
	{"a member", `allow if input.a == 1`, `a`},
	{"a member of a member", `allow if input.a.b == 1`, `a.b`},
	{"bare", `allow if input.a`, `a?`},
	{"bare and negated", `allow if not input.a.b`, `a.b?`},
	{"an alias read below", `allow if { x := input.a; x.b == 1; x.c == 2 }`, `a? a.b a.c`},
	{"an alias of an alias", `allow if { x := input.a; y := x.b; y.c == 1 }`, `a? a.b? a.b.c`},
	{"an alias that is only there", `allow if { x := input.a; y := [x.b | true]; count(y) == 0 }`, `a? a.b`},
	{"an alias taken whole", `allow if { x := input.a; count(x) == 1 }`, `a`},
	{"an alias compared", `allow if { x := input.a; x == input.b }`, `a b`},
	{"the input by another name", `allow if { i := input; i.a == 1 }`, `? a`},
	{"an import", "import input.a as q\nallow if q.b == 1", `a.b`},
	{"an index of an array", `allow if input.a[0] == 1`, `a`},
	{"a number as a name", `allow if input.a["0"] == 1`, `a.0`},
	{"a name from the input", `allow if input.a[input.b] == 1`, `a b`},
	{"iteration", `allow if input.a[_] == 1`, `a`},
	{"iteration below an index", `allow if input.a[_].b == 1`, `a`},
	{"some in", `allow if { some x in input.a; x == input.b }`, `a b`},
	{"some key and value", `allow if { some k, v in input.a; v == k }`, `a`},
	{"in", `allow if 1 in input.a`, `a`},
	{"every", `allow if every x in input.a { x == input.b }`, `a b`},
	{"every with its own value compared", `allow if every k, v in input.a { v == input.b; k == input.c }`, `a b c`},
	{"a pattern", `allow if { [x, y] := input.a; x == y }`, `a`},
	{"a pattern of an object", `allow if { {"b": x} = input.a; x == 1 }`, `a`},
	{"a variable of two equations", `allow if { x = input.a; x = input.b }`, `a b`},
	{"a variable bound by an index", `allow if { data.list[x]; x = input.a }`, `a`},
	{"a comprehension", `allow if { y := {x | some x in input.a}; count(y) == input.b }`, `a b`},
	{"an object made of members", `allow if { o := {"x": input.a, "y": input.b.c}; o.x == 1 }`, `a b.c`},
	{"object.get", `allow if object.get(input, "a", 1) == 1`, `? a`},
	{"object.get by a path", `allow if object.get(input.a, ["b", "c"], 1) == 1`, `a? a.b.c`},
	{"object.get by a name from the input", `allow if object.get(input.a, input.b, 1) == 1`, `a b`},
	{"walk", `allow if { walk(input.a, [_, v]); v == 1 }`, `a`},
	{"a builtin on all of it", `allow if count(input) == 1`, ``},
	{"a comparison with all of it", `allow if input == {"a": 1}`, ``},
	{"any member", `allow if input[_] == 1`, ``},
	{"else", `allow if { input.a == 1 } else := input.b if { input.c }`, `a b c?`},
	{"a default", "default allow := false\nallow if input.a == 1", `a`},
	{"a rule", "allow if q\nq if input.a == 1", `a`},
	{"a rule that is a place", "allow if q.b == 1\nq := input.a", `a`},
	{"a set of places", "allow if q[1]\nq contains input.a", `a`},
	{"an object of places", "allow if q.x == 1\nq[k] := v if { some k, v in input.a }", `a`},
	{"a function", "allow if f(input.a)\nf(x) if x == input.b", `a b`},
	{"a function with a constant argument", "allow if f(1, input.a)\nf(1, x) if x == 2", `a`},
	{"a rule found by its name", `allow if data.p.rules[input.a]` + "\nrules.x if input.b == 1\nrules.y if input.c == 1", `a b c`},
	{"with input", "allow if q with input as {\"a\": input.b}\nq if input.a == 1", `a b`},
	{"with a part of the input", "allow if q with input.a as 1\nq if input.b == 1", ``},
	{"with data", "allow if q with data.list as input.a\nq if data.list[_] == input.b", `a b`},
	{"a mocked function", "allow if f(input.a) with f as data.p.g\nf(x) if x == 1\ng(x) if x == input.b", `a b`},
	{"a template", "allow if $\"{input.a}\" == \"1\"", `a`},
	{"data by a name from the input", `allow if data.users[input.a].role == input.b`, `a b`},
	{"membership of a set rule", "allow if input.a in q\nq contains 1", `a`},
	{"the key of an entry", `allow if some "k" in object.keys(input.a)`, `a`},
	{"nothing", `allow if 1 == 1`, `-`},
}

func entrypointOf(t *testing.T, rules string) (*ast.Compiler, []read) {
	t.Helper()
	p, problems := parse(&query{Modules: []source{{Path: "p.rego", Text: "package p\n" + rules, Version: 1}}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	compiler, problems := p.compiled(p.modules, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return compiler, newFootprint(newReach(compiler)).readsFrom(entrypointRef("p/allow"))
}

func written(reads []read) string {
	if len(reads) == 0 {
		return "-"
	}
	texts := []string{}
	for _, r := range reads {
		texts = append(texts, strings.TrimPrefix(strings.TrimPrefix(r.String(), "input"), "."))
	}
	return strings.Join(texts, " ")
}

func TestEveryStyleReadsItsPlaces(t *testing.T) {
	for _, style := range styles {
		t.Run(style.name, func(t *testing.T) {
			if _, reads := entrypointOf(t, style.rules); written(reads) != style.reads {
				t.Errorf("reads %q, wanted %q", written(reads), style.reads)
			}
		})
	}
}

var names = []string{"a", "b", "c", "0", "x"}

func anyValue(random *rand.Rand, depth int) any {
	leaf := []any{nil, true, false, 0, 1, 2, "1", "a", "", "x"}
	switch kind := random.IntN(8); {
	case kind < 4 || depth == 0:
		return leaf[random.IntN(len(leaf))]
	case kind < 5:
		items := []any{}
		for range random.IntN(3) {
			items = append(items, anyValue(random, depth-1))
		}
		return items
	default:
		members := map[string]any{}
		for range random.IntN(4) {
			members[names[random.IntN(len(names))]] = anyValue(random, depth-1)
		}
		return members
	}
}

// changed gives a value that differs from one given at some place or other.
func changed(random *rand.Rand, value any, depth int) any {
	members, is := value.(map[string]any)
	if !is || random.IntN(6) == 0 {
		return anyValue(random, depth)
	}
	other := map[string]any{}
	for name, item := range members {
		other[name] = item
	}
	name := names[random.IntN(len(names))]
	if random.IntN(4) == 0 {
		delete(other, name)
	} else {
		other[name] = changed(random, other[name], depth-1)
	}
	return other
}

type absent struct{}

func at(value any, path []string) any {
	for _, name := range path {
		members, is := value.(map[string]any)
		if !is {
			return absent{}
		}
		if value, is = members[name]; !is {
			return absent{}
		}
	}
	return value
}

func shapeOf(value any) string {
	switch value := value.(type) {
	case bool:
		return fmt.Sprint(value)
	case float64, int:
		return "number"
	default:
		return fmt.Sprintf("%T", value)
	}
}

// seen is all of an input that the reads show; the kind of the input itself is always one of them.
func seen(reads []read, input any) string {
	parts := []string{shapeOf(input)}
	for _, r := range reads {
		value := at(input, r.Path)
		if r.Shape {
			parts = append(parts, shapeOf(value))
		} else {
			parts = append(parts, fmt.Sprintf("%#v", value))
		}
	}
	return strings.Join(parts, "|")
}

func TestInputsThatLookTheSameAreAnsweredTheSame(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{7}))
	pairs := 0
	for _, style := range styles {
		compiler, reads := entrypointOf(t, style.rules)
		prepared, err := rego.New(rego.Query("x = data.p.allow"), rego.Compiler(compiler)).PrepareForEval(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		answer := func(input any) string {
			results, err := prepared.Eval(context.Background(), rego.EvalInput(input))
			if err != nil {
				return "error " + err.Error()
			}
			texts := []string{}
			for _, result := range results {
				texts = append(texts, fmt.Sprintf("%#v", result.Bindings["x"]))
			}
			slices.Sort(texts)
			return strings.Join(texts, " ")
		}
		for range 400 {
			first := anyValue(random, 4)
			second := first
			for range 1 + random.IntN(3) {
				second = changed(random, second, 3)
			}
			if seen(reads, first) != seen(reads, second) {
				continue
			}
			pairs++
			if a, b := answer(first), answer(second); a != b {
				t.Fatalf("%s: %#v gives %s, %#v gives %s", style.name, first, a, second, b)
			}
		}
	}
	if pairs < 1_000 {
		t.Errorf("only %d pairs were compared", pairs)
	}
	t.Logf("%d pairs", pairs)
}
