package main

import (
	"maps"
	"math/rand/v2"
	"slices"
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
own.a.v := false`, []string{` = input.a; [true | data.p.own[__local1__]] = []`}},
	{"not, of a part of it", `permit if not own[input.a].v == 1
own["x"].v := 1
own.a := 7`, []string{` = input.a; [true | data.p.own[__local1__].v = 1] = []`}},
	{"not, under another input", `permit if { not own[input.a].v with input.a as input.b }
own["x"].v := 1`, []string{`[true | data.p.own[__local`, `__].v] = [] with input.a as __local`}},
	{"beside a rule of a computed name", `permit := own[input.a].v
own["x"].v := 1
own.a[k] := 2 if some k in {"v", input.b}`, []string{`__vd 0 = data.p.own[__local`, ` = __vd 0.v`}},
	{"both, in every", `permit if { every k in {"x", "a"} { not own[k].v } }
own["x"].v := 1 if input.b
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`[true | __vd 0 = data.p.own[__local`, `__vd 0.v] = []`}},
	{"both, by a name from another input", `permit if { not own[input.a].v with input.a as input.b }
own["x"].v := 1 if input.b
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`[true | __vd 0 = data.p.own[__local`, `__vd 0.v] = [] with input.a as __local`}},
	{"beside a rule of a computed name, under another input", `permit := x if { x := own[input.a].v with input.a as "x" }
own["x"].v := 1 if input.a == "x"
own.a[k] contains 2 if some k in {"v", input.b}`, []string{`__vd 0 = data.p.own[`, `] with input.a as "x"; `}},
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
	{"beside functions", `permit := data.lib[input.a]
permit := "none" if not data.lib[input.a]
permit := 3 if data.lib[input.b].c`, []string{`__vd 0 = data.lib; `, ` = __vd 0[__local`, `[true | __vd 1 = data.lib; __vd 1[__local`, `__vd 2 = data.lib; __vd 2[__local`}},
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
			modules := modulesOf(t, "package p\n"+one.text, "package lib\nf(x) := x\nx := 1\na.c := 2")
			reworded, graph := compiledModules(t, modules)
			if changed := rewordLookups(slices.Collect(maps.Values(reworded)), graph); changed != (one.reads != nil) {
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
