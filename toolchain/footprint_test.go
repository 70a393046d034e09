package main

import (
	"context"
	"encoding/json"
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
	{"an alias by another name", `allow if { x := input.a; y := x; z := y; z.b == 1; y.c }`, `a? a.b a.c?`},
	{"the input compared with an alias", `allow if { x = input; x = input.b }`, ``},
	{"aliases that are compared", `allow if { x := input.a; y := x; y = input.b }`, `a b`},
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
	{"a rule that is a place", "allow if q.b == 1\nq := input.a", `a? a.b`},
	{"a rule that is a place, by another name", "allow if { x := q; x.b == 1; x.c }\nq := input.a", `a? a.b a.c?`},
	{"a rule that is a place of a place", "allow if r.c == 1\nr := q.b\nq := input.a", `a? a.b? a.b.c`},
	{"a rule that is the input", "allow if q.a == 1\nq := input", `? a`},
	{"a rule that is a place under a condition", "allow if q.b == 1\nq := input.a if input.c == 1", `a? a.b c`},
	{"a rule that is a place taken whole", "allow if count(q) == 1\nq := input.a", `a`},
	{"a rule that is a place found by a name from the input", "allow if q[input.b] == 1\nq := input.a", `a b`},
	{"a rule that is a place, and its package", "allow if { q.b == 1; data.p.r.q.c == 1; some k; data.p.r[k].x }\nq := input.a\nr.q := input.b", `a? a.b b`},
	{"a rule that is a place, and a default", "allow if q.b == 1\ndefault q := {}\nq := input.a", `a`},
	{"a rule that is one of two places", "allow if q.b == 1\nq := input.a if input.c == 1\nq := input.b if input.c == 2", `a b c`},
	{"a rule that is a place or else another", "allow if q.b == 1\nq := input.a if input.c else := input.b", `a b c?`},
	{"a rule that is a place and replaced", "allow if r with q as {\"b\": 1}\nr if q.b == 1\nq := input.a", `a`},
	{"a rule that is a place of another input", "allow if q.b == 1 with input as {\"a\": input.c}\nq := input.a", `a? a.b c`},
	{"an entrypoint that is a place", "allow := input.a", `a`},
	{"a set of places", "allow if q[1]\nq contains input.a", `a`},
	{"an object of places", "allow if q.x == 1\nq[k] := v if { some k, v in input.a }", `a`},
	{"a function with a constant argument", "allow if f(1, input.a)\nf(1, x) if x == 2", `a`},
	{"a function of the input", "allow if f(input)\nf(i) if i.a == 1", `? a`},
	{"a function of a place", "allow if f(input.a)\nf(x) if { x.b == 1; not x.c }", `a? a.b a.c?`},
	{"a function of an alias", "allow if { x := input.a; f(x.b) }\nf(y) if y.c == 1", `a? a.b? a.b.c`},
	{"a function of several definitions", "allow if f(input.a)\nf(x) if x.b == 1\nf(x) if { y := x; y.c == 1 }", `a? a.b a.c`},
	{"a function with an else", "allow if f(input.a) == 2\nf(x) := 1 if x.b == 1 else := x.c if x.x", `a? a.b a.c a.x?`},
	{"a function with a default", "allow if f(input.a) == 1\ndefault f(_) := 1\nf(x) := 2 if x.b == 1", `a? a.b`},
	{"a function of two places", "allow if { f(input.a); f(input.b) }\nf(x) if x.c == 1", `a? a.c b? b.c`},
	{"a function that calls one", "allow if f(input)\nf(i) if g(i.a, 1)\ng(x, n) if x.b == n", `? a? a.b`},
	{"a function that compares what it is given", "allow if f(input.a)\nf(x) if x == input.b", `a b`},
	{"a function that returns what it is given", "allow if f(input.a).b == 1\nf(x) := x", `a? a.b`},
	{"a function that returns a place", "allow if { x := f(input.a); x.c == 1 }\nf(x) := x.b", `a? a.b? a.b.c`},
	{"a function that returns a place of the input", "allow if f(1).b == 1\nf(_) := input.a", `a? a.b`},
	{"a function whose place is taken whole", "allow if count(f(input.a)) == 1\nf(x) := x.b", `a? a.b`},
	{"a function of a place, bare", "allow if f(input.a)\nf(x) := x.b", `a? a.b`},
	{"a function in a comprehension", "allow if { y := [f(input.a) | some _ in input.b]; y[0] == 1 }\nf(x) := x.b", `a? a.b b`},
	{"a function under another input", "allow if f(input.a) with input as {\"a\": input.b}\nf(x) if { x.c == 1; input.c }", `a b c?`},
	{"a function of an alias under another input", "allow if { x := input.a; f(x) with input as {\"c\": input.b} }\nf(x) if { x.c == 1; input.c }", `a? a.c b c?`},
	{"a function with one name twice", "allow if f(input.a, input.b)\nf(x, x) if x.c", `a b`},
	{"a function with a pattern", "allow if f(input.a)\nf([x, _]) if x == 1", `a`},
	{"a function that one definition compares", "allow if f(input.a)\nf(x) if x.b == 1\nf(\"x\")", `a`},
	{"a function by iteration", "allow if f(input.a[_])\nf(x) if x.b == 1", `a`},
	{"a function that reads any member", "allow if f(input)\nf(i) if i[_] == 1", ``},
	{"a replaced function", "allow if q with f as g\nq if f(input.a)\nf(x) if x.b == 1\ng(x) if x.c == 1", `a`},
	{"a replaced object.get", "allow if q with object.get as g\nq if object.get(input.a, \"b\", 1) == 1\ng(x, _, _) := count(x)", `a`},
	{"a builtin of a place of a place", `allow if { x := input.a; startswith(x.b, "x"); endswith("x", x.c) }`, `a? a.b a.c`},
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
	leaf := []any{nil, true, false, 0, 1, 2, "1", "a", "", "x", json.Number("9007199254740992"), json.Number("9007199254740993")}
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
	case json.Number, int:
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

// answerer asks for data.p.allow in OPA's interpreter.
func answerer(t *testing.T, compiler *ast.Compiler) func(input any) string {
	t.Helper()
	prepared, err := rego.New(rego.Query("x = data.p.allow"), rego.Compiler(compiler)).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return func(input any) string {
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
}

// samePairs asks about inputs that look the same, and answers how many pairs there were.
func samePairs(t *testing.T, random *rand.Rand, rules string, times int) int {
	t.Helper()
	compiler, reads := entrypointOf(t, rules)
	answer := answerer(t, compiler)
	pairs := 0
	for range times {
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
			t.Fatalf("%s\nreads %s\n%#v gives %s, %#v gives %s", rules, written(reads), first, a, second, b)
		}
	}
	return pairs
}

func TestInputsThatLookTheSameAreAnsweredTheSame(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{7}))
	pairs := 0
	for _, style := range styles {
		pairs += samePairs(t, random, style.rules, 400)
	}
	if pairs < 1_000 {
		t.Errorf("only %d pairs were compared", pairs)
	}
	t.Logf("%d pairs", pairs)
}
