package main

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

var looked = []struct {
	name, text string
	reads      []string
}{
	{"not, of what has rules below it", `permit if not own[input.a]
own["x"].v := 1
own.a.v := false`, []string{` = input.a; [true | data.p.own[__local3__]] = []`}},
	{"not, of a part of it", `permit if not own[input.a].v == 1
own["x"].v := 1
own.a := 7`, []string{` = input.a; [true | data.p.own[__local3__].v = 1] = []`}},
	{"not, under another input", `permit if { not own[input.a].v with input.a as input.b }
own["x"].v := 1`, []string{`[true | data.p.own[__local`, `__].v] = [] with input as data.__vd.inputs.put([__vd `}},
	{"beside a rule of a computed name", `permit := own[input.a].v
own["x"].v := 1
own.a[k] := 2 if some k in {"v", input.b}`, []string{`__vd 0 = data.p.own[__local`, ` = __vd 0.v`}},
	{"both, in every", `permit if { every k in {"x", "a"} { not own[k].v } }
own["x"].v := 1 if input.b
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`[true | __vd 0 = data.p.own[__local`, `__vd 0.v] = []`}},
	{"both, by a name from another input", `permit if { not own[input.a].v with input.a as input.b }
own["x"].v := 1 if input.b
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`[true | __vd 4 = data.p.own[__local`, `.v] = [] with input as data.__vd.inputs.put([`}},
	{"beside a rule of a computed name, under another input", `permit := x if { x := own[input.a].v with input.a as "x" }
own["x"].v := 1 if input.a == "x"
own.a[k] contains 2 if some k in {"v", input.b}`, []string{` = data.p.own[`, `] with input as data.__vd.inputs.put([`, `, "a", "x"); `}},
	{"beside a rule of a computed name, all of them", `permit := {k: v | v := own[k].v}
own["x"].v := 1 if input.b
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`__vd 0 = data.p.own[k]; `, ` = __vd 0.v`}},
	{"two names, one of them computed", `permit if { some k in {"x", "a"}; not own[k][lower(input.a)] }
own["x"].v := 1 if input.b
own.a.x.v := 2`, []string{`; [true | data.p.own[__local`}},
	{"two references, one of which fails before not", `permit if not input[concat("-", ["x", input.a])] == own[input.a].v
own["x"].v := 1
own.a.v := 2`, []string{`concat("-", ["x", __local`, `; [true | input[__local`, `] = []`}},
	{"in an else branch", `permit if { input.c } else := 2 if { not own[input.a] }
own["x"].v := 1`, []string{`[true | data.p.own[__local`}},
	{"in a function, a comprehension, and a rule that asks for its annotations", `permit := {x | some x in {"x", "a", input.b}; not f(x); not own[x].v}
f(x) := rego.metadata.rule() if not own[x]
own["x"].v := 1`, []string{`[true | data.p.own[__local2__].v] = []}`, `[true | data.p.own[__local3__]] = []; `}},
	{"walk, by what it finds", `permit if not walk(input, [["b"], "x"])`, []string{`[true | walk(`}},
	{"beside functions, which move", `permit := [data.lib[input.a], f(1), x]
permit := ["none", x] if not data.lib[input.a]
permit := 3 if data.lib[input.b].c
x := data.lib.f(input.a) if data.lib.f("x") with data.lib.f as data.lib.g
f(x) := x`, []string{`data.lib[__local`, `data.__vd.functions.lib.f("x") with data.__vd.functions.lib.f as data.__vd.functions.lib.g`, `data.p.f(1`}},
	{"functions below what is replaced, which move", `permit := x if x := data.lib.f(input.a) with data.lib as {"a": input.b}`,
		[]string{`data.__vd.functions.lib.f(`}},
	{"functions replaced by variables", `permit := [x, y, own[input.a]] if {
	x := own[input.a] with g as input.b with is_string as input.c with time.now_ns as input.b
	y := own[input.a] with g as {"a": input.c} with g as 7
}
own.a := [g(1), is_string("x"), time.now_ns() > 5]
own.x := z if z := [is_string(1), g(3)] with g as input.a
g(x) := x`, []string{`with data.__vd.mocks.m0 as __local14__ with data.__vd.mocks.m1 as __local15__ ` +
		`with data.__vd.mocks.m2 as __local16__ with data.p.g as data.__vd.mocks.m0 with is_string as data.__vd.mocks.m1 `, ` with data.p.g as 7`, `m4`}},
	{"functions and documents replaced at once", `permit := x if { x := g(1) with g as h with input.a as 2 with is_string as f with input.b as input.c }
g(x) := x
f(_) := input.b
h(x) := [x, input.a, is_string(x)]`, []string{`, "b", __local11__) with data.p.g as data.p.h with is_string as `}},
	{"blocks that are negated", `import future.keywords.not
permit := [k | some k in ["z", "x", "a", input.b]; not { own[k].v }]
permit := [k | some k in ["z", "x", "a"]; not { walk(input, [[p], k]); not { p == "b" } } with input.a as input.c]
own["x"].v := 1
own.a.v := false`, []string{`[true | data.p.own[__local2__].v] = []`, `[true | p = "b"] = []] = [] with input as data.__vd.inputs.put(`}},
	{"in both sides of and, or", `import future.keywords.and
import future.keywords.or
permit if { { not own[input.a].v } and { not own[input.b].v or input.c } }
own["x"].v := 1
own.a.v := false`, []string{`[true | data.p.own[__local`}},
	{"members of the input replaced", `permit := [x | x := own[_] with input.a as 1]
permit := [x, y] if { x := seen with input.a.b as input.b with input.c as "y"; y := seen with input as input.a with input.b.c.d as 1 }
permit := x if { x := seen with input.b as 2 with input as input.a with is_string as true }
permit if not same with input.a as "x" with data.q.r as 1
own contains input
seen := [input, is_string(input)]
same if input.a == input.b`, []string{`with input as data.__vd.inputs.put([__vd `, `, "b", data.__vd.inputs.put([`, ` with data.q.r as 1`}},
	{"numbers in data", `permit := x if x := data.list[2].b[0].c
permit := data.list[1][input.a][2] if not data.list[3]
permit := data.p.own[0] if input.b
permit := data.mocked[0] if { input.a with data.mocked.x as 1 }
own := [1] if input.b`, []string{`data.__vd.places.at(data.list, 2, "2", __vd 0); data.__vd.places.at(__vd 0.b, 0, "0", __vd 1); `, `= __vd 1.c`,
		`[true | data.__vd.places.at(data.list, 3, "3", __vd 2); __vd 2] = []`, `data.__vd.places.at(data.list, 1, "1", __vd 3); `, `= __vd 3[__local`,
		`= data.p.own[0]`, `= data.mocked[0]`}},
	{"names of the input and of data stay", `permit if { not input.b[input.a]; not data.list[input.a].v }
own[k].v := 1 if some k in {input.a}`, nil},
	{"what leads back to the rule itself stays", `permit := data[input.p].v if input.p != "p"
own[k].v := 1 if some k in {input.a}`, nil},
	{"what leads back to the rule by another one stays", `permit := own[input.a].v
own.x[k] := 1 if some k in {"v", input.b}
own.y.z := data.p.permit.w`, nil},
	{"operands of calls stay, which come before not", `permit if not is_object(own[input.a])
permit if not count(own[input.a]) == 1
own["x"].v := 1
own.a.v := 2`, nil},
}

func compiledModules(t *testing.T, modules map[string]*ast.Module) (map[string]*ast.Module, *ast.Graph) {
	t.Helper()
	compiler := ast.NewCompiler()
	if compiler.Compile(modules); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	return compiler.Modules, compiler.Graph
}

func TestRewordedLookupsAnswerAsWritten(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{9}))
	for _, one := range looked {
		t.Run(one.name, func(t *testing.T) {
			modules := modulesOf(t, "package p\n"+one.text,
				"package lib\nf(x) := x\ng(x) := x == input.b\nx := 1\na.c := 2")
			reworded, graph := compiledModules(t, modules)
			if changed := rewordLookups(reworded, graph); changed != (one.reads != nil) {
				t.Fatalf("changed: %v\n%s", changed, reworded["f0.rego"])
			}
			text := reworded["f0.rego"].String()
			for _, part := range one.reads {
				if !strings.Contains(text, part) {
					t.Fatalf("wanted %s in\n%s", part, text)
				}
			}
			compareAnswers(t, random, modules, reworded, "permit", 300)
		})
	}
}
