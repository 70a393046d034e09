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

// forced regroups whatever can be.
var forced = regroupings["all"]

func modulesOf(t *testing.T, texts ...string) map[string]*ast.Module {
	t.Helper()
	modules := map[string]*ast.Module{}
	for i, text := range texts {
		version := ast.RegoV1
		if strings.HasPrefix(text, "# v0") {
			version = ast.RegoV0
		}
		file := fmt.Sprintf("f%d.rego", i)
		module, err := ast.ParseModuleWithOpts(file, text, ast.ParserOptions{ProcessAnnotation: true, RegoVersion: version})
		if err != nil {
			t.Fatal(err)
		}
		modules[file] = module
	}
	return modules
}

// asker answers a rule of package p by the interpreter: a value, nothing, or the code of an error. Without its index it
// tries all rules, and so meets errors in those that the index leaves out.
func asker(t *testing.T, modules map[string]*ast.Module, rule string, indexing bool) func(input any) string {
	t.Helper()
	compiler := ast.NewCompiler().WithCapabilities(capabilities())
	if compiler.Compile(modules); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	prepared, err := rego.New(rego.Query("x = data.p."+rule), rego.Compiler(compiler)).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return func(input any) string {
		options := []rego.EvalOption{rego.EvalRuleIndexing(indexing)}
		if _, none := input.(absent); !none {
			options = append(options, rego.EvalInput(input))
		}
		results, err := prepared.Eval(context.Background(), options...)
		if err != nil {
			return "error " + texts{}.of(err)[0].Code
		}
		answers := []string{}
		for _, result := range results {
			answers = append(answers, fmt.Sprintf("%#v", result.Bindings["x"]))
		}
		return strings.Join(answers, " ")
	}
}

// tricky are modules of package p whose rules `permit` and `deny` are regrouped into this many groups.
var tricky = []struct {
	name   string
	groups int
	texts  []string
}{
	{"complete rules", 1, []string{`permit if { input.a == "x"; input.c == 1 }
permit if { input.a == "y" }`}},
	{"values that conflict, and false ones", 1, []string{`permit := 1 if input.a == "x"
permit := 2 if { input.a == "x"; input.b }
permit := false if input.a == "a"`}},
	{"conflicts between groups and the rest", 2, []string{`permit := 1 if input.a == "x"
permit := 2 if input.b == "1"
permit := 3 if input.c`}},
	{"a default", 1, []string{`default permit := "none"
permit := "x" if input.a == "x"
permit := "1" if "1" == input.a`}},
	{"else chains without a place that all branches need stay", 1, []string{`permit := 1 if input.a == "x" else := 2 if input.b == "x"
permit := 2 if input.a == "a"`}},
	{"else chains", 1, []string{`permit := 1 if { input.a == "x"; input.b == "1" } else := 2 if input.a == "a" else := 3 if { input.a == "x" }
permit := 2 if input.a == "a"
permit := input.c if { input.a in {"1", ""}; input.b } else := [1] if "1" == input.a`}},
	{"an else chain by more than names", 2, []string{`permit := 1 if { input.a == "x"; input.b } else := 3 if startswith(input.a, "1")
permit := 1 if { input.a == "x"; input.c } else := 3 if input.a == 1
permit := 1 if { input.a == "a"; input.c }`}},
	{"members", 1, []string{`permit if { "x" in input.b; input.c }
permit if { some m in input.b; m == "a" }
permit if { some k, m in input.b; m == "1"; k == "c" }
permit if input.b[_] == "x"
permit if { input.b[k] == "a"; k == "c" }
permit if { some m in input.b; m in {"x", "1"}; input.a == m }`}},
	{"members of members", 2, []string{`permit if { some m in input.b; m.c == "x" }
permit if { input.b[_].c == "a"; input.a == "x" }
permit if { some i; input.b[i].c == "1"; i == 0 }`}},
	{"members that conflict", 1, []string{`permit := 1 if "x" in input.b
permit := 2 if { "a" in input.b; input.c }
permit := input.a if "1" in input.b`}},
	{"sets by members, and by a place", 1, []string{`deny contains m if { some m in input.b; m == "x"; input.a == "x" }
deny contains [m, input.c] if { "x" in input.b; "a" in input.b; m := input.a; input.a == "a" }`}},
	{"members of several places", 1, []string{`permit if { "x" in input.b; "x" in input.c }
permit if { "a" in input.b; "1" in input.c }`}},
	{"members of all of the input", 1, []string{`permit if { "x" in input }
permit if { input[_] == "a"; input.b }`}},
	{"members of members of members stay", 0, []string{`permit if { some m in input.b; "x" in m }
permit if input.b[_][_] == "x"`}},
	{"numbers", 2, []string{`permit := 1 if input.a == 0
permit := 1 if { input.a == 1; input.b }
permit := 2 if { 1 == input.a; input.c }
permit := 1 if { input.a in {1, 2, "x"}; input.c == "x" }
permit := 3 if { input.a == -1 }`}},
	{"sets by numbers", 1, []string{`deny contains 1 if input.a == 0
deny contains input.b if { input.a == 1 }
deny contains m if { some m in input.b; input.a == 2 }`}},
	{"numbers that are no integers, and other kinds", 0, []string{`permit if input.a == 1.5
permit if input.a == null
permit if input.a == true
permit if input.a == 9007199254740993
permit if input.a == []`}},
	{"beginnings of texts", 2, []string{`permit := 1 if startswith(input.a, "x")
permit := 1 if { startswith(input.a, "1"); input.c }
permit := 1 if { startswith(input.a, "xa"); input.b }
permit := 2 if input.a == "xx"
permit := 1 if { startswith(input.a, "~"); input.b }
permit := 4 if { startswith(input.a, "a/"); input.b }`}},
	{"beginnings that are no ASCII, or empty", 0, []string{`permit if startswith(input.a, "\u00e9")
permit if startswith(input.a, "")`}},
	{"functions by a constant", 1, []string{`permit := f("x", input.b) if input.a
permit := f(input.a, input.b) if input.c
f("x", _) := 1
f("a", y) := y
f("1", y) := y.c if y.c == "x"
f("", y) := 1 if not y.c`}},
	{"functions by what they compare", 1, []string{`permit := f(input.a, input.b)
f(k, _) := 1 if k == "x"
f(k, y) := 1 if { k == "a"; y.c == "x" }
f(_, y) := y if { "none" == y; own }
f(k, y) := 2 if { l := k; l in {"1", ""}; y }
own if input.c`}},
	{"functions by members of an argument", 1, []string{`permit := [f(input.b), f({"c": input.a})]
f(y) := 1 if y.c == "x"
f(y) := y if { z := y; z.c == "a" }
f(y) := 3 if { y.c == 1; input.c }`}},
	{"functions by the input", 1, []string{`permit := f(input.b)
f(y) := 1 if { input.a == "x"; y }
f(y) := y if { input.a == "a" }`}},
	{"functions that conflict", 1, []string{`permit := f(input.a, input.b)
f("x", _) := 1
f("x", y) := 2 if y == "x"
f("a", y) := y`}},
	{"functions with defaults and else", 1, []string{`permit := f(input.a, input.b)
default f(_, _) := "none"
f("x", y) := 1 if y.c else := 2 if y == "a"
f(k, y) := 3 if { k == "a"; y.c } else := 4 if k == "1"
f(k, y) := 5 if { y == "1" } else := 6`}},
	{"functions that call themselves by another name", 1, []string{`permit := f("x", f("a", input.b))
f("x", y) := [y]
f("a", y) := {"y": y}`}},
	{"functions with one name twice, and patterns", 1, []string{`permit := [f(input.a, input.b), 1]
f(x, x) := 1 if x == "x"
f("a", [y]) := y
f("a", {"c": y}) := y
f([x, _], y) := x if y == "x"`}},
	{"names that asking rules have", 3, []string{`permit := [__vd_0, __vd_1] if { "x" in input.b; input.c == "x" }
permit := f(input.a) if { "a" in input.b; __vd_1 }
__vd_0 := 7
__vd_1 := input.c
f("x") := __vd_0
f("a") := 8`}},
	{"sets", 1, []string{`deny contains "m" if input.a == "x"
deny contains input.b if { input.a == "a" }
deny contains n if { some n in input.c; input.a == "x" }
deny contains "all"`}},
	{"two keys, and one", 2, []string{`permit if { input.a == "x"; input.b.c == "x"; input.c == 1 }
permit if { input.a == "x"; input.b.c == "a" }
permit if { input.b.c == "1"; not input.c }`}},
	{"either side, unified, in", 1, []string{`permit if { "x" == input.a }
permit if { input.a = "a" }
permit if { input.a in {"1", ""}; input.b }
permit if { input.a in ["x", "x"]; input.c }`}},
	{"locals and imports", 1, []string{"import input.b as q\n" + `permit if { i := input; y := i.b; y.c == "x" }
permit if { q.c == "a" }
permit if { z = input.b; w = z.c; w = "1"; w == input.a }
permit if { k := "x"; k == input.b.c; input.c }`}},
	{"values over two keys", 1, []string{`permit := v if { input.a in {"x", "a"}; input.b in {"1", "x"}; v := input.c }
permit := 1 if { input.a == "x"; input.b == "x" }`}},
	{"more values than a rule is copied for", 0, []string{
		`permit if input.a in {"1","2","3","4","5","6","7","8","9","10","11","12","13","14","15","16","x"}`}},
	{"several modules", 1, []string{`permit if { input.a == "x"; own }
own if input.c`, `permit if { input.a == "a"; own; data.q.f(input.b) }`, "package q\nf(v) if v.c"}},
	{"absolute references", 1, []string{"import data.q\n" + `permit if { input.a == "x"; q.limit[input.b]; lib("x") }
lib(v) if input.b == v`, "package q\nlimit contains \"x\""}},
	{"names that the groups have", 1, []string{`permit := [g0, v] if { input.a == "x"; g0 := 1; v := x }
v := 3
x := 4
g0 := 5
permit := [g0, v] if { input.a == "a"; y = v; y = 3 }`}},
	{"other inputs", 2, []string{`permit if inner with input as input.b
inner if deny
deny if { input.a == "x"; input.c }
deny if { input.c == "x" } `}},
	{"other values of a key", 1, []string{`permit if deny with input.a as "x"
deny if { input.a == "x"; input.c }
deny if { input.a == "1"; input.b }`}},
	{"a condition under another input is no key", 0, []string{`permit if { input.a == "x" with input.a as "x" }`}},
	{"no keys", 0, []string{`permit if { input.a != "x" }
permit if { not input.a == "x" }
permit if { input.a == 1.5 }
permit if { input.a == input.b }
permit if { input[input.b] == "x" }
permit if { every x in input.c { x == "x" } }
permit if input == "x"`}},
	{"objects and rules under names stay", 0, []string{`permit[k] := v if { k := "k"; v := 1; input.a == "x" }
deny.x contains 1 if input.a == "x"
deny.y := 1 if input.a == "x"`}},
	{"control characters", 0, []string{`permit if input.a == "\u0007"
permit if { input.a in {"\u007f", "x"} }`}},
	{"names of other kinds", 1, []string{`permit if input.a == "a/b.c[\"d\"]"
permit if input.a == ""
permit if input.a == "\u200b"`}},
	{"all of data", 0, []string{`permit if { input.a == "x"; some k; data[k].x }
deny if input.a == "x"`}},
	{"all of data by another name", 0, []string{"import data as d\n" + `permit if { input.a == "x"; count(d) > 0 }`}},
	{"a mock that is no constant", 0, []string{`permit if { input.a == "x"; g with f as h }
f(_) := 1
h(_) := 2
g if f(1) == 2`}},
	{"other data", 0, []string{`permit if { input.a == "x"; deny with data.p.own as input.b }
own if input.c
deny if { input.a == "x"; own }`}},
	{"annotations that rules ask for", 0, []string{`# METADATA
# title: one
# scope: document
permit := rego.metadata.rule() if input.a == "x"
deny := rego.metadata.chain() if input.a == "x"`}},
	{"annotations", 1, []string{`# METADATA
# title: one
# scope: document
permit if input.a == "x"
# METADATA
# title: two
permit if input.a == "a"`}},
	{"Rego v0", 0, []string{"# v0\npackage p\npermit { input.a == \"x\" }\ndeny[x] { x = \"1\"; input.a == x }"}},
	{"comprehensions and negation", 1, []string{`permit := [y | y := input.c[_]] if { input.a == "x"; not input.b.c == "x" }
permit := {z: 1 | some z in input.c} if { input.a == "a" }`}},
	{"errors of builtins", 1, []string{`permit if { input.a == "x"; to_number(input.b) > 0 }
permit if { input.a == "a"; units.parse(input.b) == 1 }`}},
}

func TestRegroupedRulesAnswerAsWritten(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{3}))
	for _, one := range tricky {
		t.Run(one.name, func(t *testing.T) {
			texts := []string{}
			for _, text := range one.texts {
				if !strings.Contains(text, "package ") {
					text = "package p\n" + text
				}
				texts = append(texts, text)
			}
			texts = append(texts, "package p\npermit if false\ndeny contains 1 if false")
			if strings.Contains(texts[0], "deny if") || strings.Contains(texts[0], "deny :=") || strings.Contains(texts[0], "deny.") {
				texts[len(texts)-1] = "package p\npermit if false"
			}
			if strings.Contains(texts[0], "permit[") {
				texts[len(texts)-1] = "package p\nelsewhere if false"
			}
			modules := modulesOf(t, texts...)
			regrouped, groups := forced.of(modules)
			if groups != one.groups {
				t.Fatalf("%d groups, wanted %d: %v", groups, one.groups, regrouped)
			}
			rules := []string{"permit", "deny"}
			if groups == 0 {
				if len(regrouped) != len(modules) {
					t.Fatal("modules that are not regrouped are no longer as written")
				}
				return
			}
			for _, rule := range rules {
				compareAnswers(t, random, modules, regrouped, rule, 300)
			}
		})
	}
}

// compareAnswers asks both about inputs over few names and values, of any kind, and about none.
func compareAnswers(t *testing.T, random *rand.Rand, a, b map[string]*ast.Module, rule string, times int) {
	t.Helper()
	before, all, after := asker(t, a, rule, true), asker(t, a, rule, false), asker(t, b, rule, true)
	for range times {
		var input any = absent{}
		switch random.IntN(12) {
		case 0:
		case 1:
			input = anyValue(random, 2)
		default:
			input = map[string]any{"a": anyValue(random, 0), "b": anyValue(random, 2), "c": anyValue(random, 2)}
			if random.IntN(3) > 0 {
				input.(map[string]any)["a"] = []any{"x", "a", "1", ""}[random.IntN(4)]
				input.(map[string]any)["b"] = []any{"x", "a", "1", map[string]any{"c": "x"}, map[string]any{"c": "a"}}[random.IntN(5)]
			}
		}
		if want, got := before(input), after(input); want != got && all(input) != got {
			t.Fatalf("%s: %#v gives %s, regrouped %s\n%v", rule, input, want, got, b)
		}
	}
}

func anyRules(random *rand.Rand) string {
	one := func(from ...string) string { return from[random.IntN(len(from))] }
	condition := func() string {
		place := "input." + one("a", "b", "b.c", "c")
		value := fmt.Sprintf("%q", one("x", "a", "1", ""))
		return strings.NewReplacer("P", place, "V", value).Replace(one("P == V", "V == P", "P = V", "P in {V, \"x\"}",
			"not P == V", "P != V", "P", "not P", "own[V]", "l := P; l == V", "some m in P; m == V", "P == 1", "P == 0", "V in P",
			"P[_] == V", "startswith(P, V)", "f(P, input.b)", "f(V, P) == input.c"))
	}
	var text strings.Builder
	text.WriteString("package p\nown contains o if { o := input.a }\n")
	if random.IntN(2) == 0 {
		text.WriteString("default permit := 0\n")
	}
	for range 1 + random.IntN(8) {
		value := fmt.Sprintf("%q", one("x", "a", "1", "xa"))
		fmt.Fprintln(&text, strings.ReplaceAll(one("f(V, _) := 1", "f(V, y) := y", "f(k, y) := 1 if { k == V; y.c }", "f(k, y) := 2 if { y == V; k }",
			"f(k, y) := k if { y.c == V; input.c }", "f(k, _) := 1 if startswith(k, V)", "f(k, y) := 1 if { k == 1; y } else := 2 if k == V",
			"f(k, _) if input.a == V"), "V", value))
	}
	for range 4 + random.IntN(30) {
		head := one("permit := 1", "permit := 1", "permit := 2", "permit := input.c", `deny contains "m"`, "deny contains input.b")
		body := []string{condition()}
		for range random.IntN(3) {
			// One local of each kind at most in a body.
			next := condition()
			if !strings.Contains(strings.Join(body, ";"), "l :=") && !strings.Contains(strings.Join(body, ";"), "some m") ||
				!strings.Contains(next, "l :=") && !strings.Contains(next, "some m") {
				body = append(body, next)
			}
		}
		otherwise := ""
		if random.IntN(8) == 0 && strings.HasPrefix(head, "permit") {
			otherwise = " else := 3 if { " + condition() + " }"
		}
		fmt.Fprintf(&text, "%s if { %s }%s\n", head, strings.Join(body, "; "), otherwise)
	}
	return text.String() + "permit := 1 if false\ndeny contains 1 if false\n"
}

func TestGeneratedRulesAnswerAsWritten(t *testing.T) {
	random := rand.New(rand.NewChaCha8([32]byte{5}))
	groups := 0
	for i := range 120 {
		how := forced
		if i%2 == 1 {
			how = regrouping{least: 3, dispatch: 0.1, branches: 3}
		}
		modules := modulesOf(t, anyRules(random))
		regrouped, made := how.of(modules)
		groups += made
		if written := needsTwins(t, modules); needsTwins(t, regrouped) != written {
			t.Fatalf("calls are renamed in the rules as written (%v) or in the regrouped ones alone: %v", written, modules)
		}
		for _, rule := range []string{"permit", "deny"} {
			compareAnswers(t, random, modules, regrouped, rule, 60)
		}
	}
	if groups < 150 {
		t.Errorf("only %d groups were made", groups)
	}
	t.Logf("%d groups", groups)
}

// needsTwins is true of modules in which there are calls to rename or lookups to reword.
func needsTwins(t *testing.T, modules map[string]*ast.Module) bool {
	t.Helper()
	compiler := ast.NewCompiler().WithCapabilities(capabilities())
	if compiler.Compile(modules); compiler.Failed() {
		t.Fatal(compiler.Errors)
	}
	return withTwins(compiler)
}

func TestRulesThatOPADoesNotBuildRegroupedAreParsedAgain(t *testing.T) {
	text := "package p\npermit if input.a == \"x\"\npermit if input.a == \"y\""
	q := &query{Modules: []source{{Path: "p.rego", Text: text, Version: 1}}, Entry: []string{"p/none"}}
	p, _ := parse(q)
	compiler, problems := p.compiled(p.modules, nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	_, err := forced.build(p.modules, compiler, q)
	if err == nil || !strings.Contains(err.Error(), "p/none") {
		t.Errorf("an entrypoint that is not there: %v", err)
	}
}

func TestRulesAreRegroupedWhereItPays(t *testing.T) {
	rules := func(count int, line string) string {
		lines := []string{"package p"}
		for i := range count {
			lines = append(lines, strings.NewReplacer("#", fmt.Sprint(i), "%", fmt.Sprint(i%5), "@", fmt.Sprint(i/5)).Replace(line))
		}
		return strings.Join(lines, "\n")
	}
	one := `permit if { input.action == "a%"; input.resource.kind == "k@"; input.n == # }`
	for _, c := range []struct {
		name, text string
		groups     int
	}{
		{"few rules", rules(7, one), 0},
		{"rules that all want the same", rules(40, `permit if { input.action == "a"; input.n > # }`), 0},
		{"rules that all want the same, and numbers", rules(40, `permit if { input.action == "a"; input.n == # }`), 1},
		{"many", rules(40, one), 1},
		{"thousands", rules(8_000, one), 1},
		{"two kinds of rules", rules(200, one) + rules(50, "\npermit if { input.action == \"a#\"; input.n > 1 }")[len("package p"):], 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			modules := modulesOf(t, c.text)
			regrouped, groups := usualRegrouping.of(modules)
			if groups != c.groups {
				t.Fatalf("%d groups, wanted %d", groups, c.groups)
			}
			if c.name == "thousands" && !strings.Contains(regrouped["f0.rego"].String(), `g0[input.resource.kind])`) {
				t.Errorf("more names than the compiler has time for: %v", regrouped["f0.rego"])
			}
			if c.name == "many" && !strings.Contains(regrouped["f0.rego"].String(), `g0[input.action][input.resource.kind]`) &&
				!strings.Contains(regrouped["f0.rego"].String(), `g0[input.resource.kind][input.action]`) {
				t.Errorf("not found by both keys: %v", regrouped["f0.rego"])
			}
		})
	}
}

func TestRegroupingKeepsWhatIsGiven(t *testing.T) {
	modules := modulesOf(t, "package p\n# METADATA\n# title: x\npermit if input.a == \"x\"\n\npermit if input.a == \"a\"")
	before := modules["f0.rego"].String()
	regrouped, _ := forced.of(modules)
	again, _ := forced.of(modules)
	if modules["f0.rego"].String() != before || len(modules) != 1 {
		t.Error("the given modules were changed")
	}
	if fmt.Sprint(regrouped) != fmt.Sprint(again) {
		t.Error("the same modules are regrouped in two ways")
	}
	rows := []int{}
	for _, leaf := range regrouped["__vd.rego"].Rules {
		rows = append(rows, leaf.Loc().Row)
		if leaf.Loc().File != "f0.rego" {
			t.Errorf("a leaf is said to stand in %s", leaf.Loc().File)
		}
	}
	if !slices.Equal(rows, []int{4, 6}) {
		t.Errorf("leaves stand in rows %v", rows)
	}
}

func TestTheNameOfTheGroupsIsRefused(t *testing.T) {
	for _, text := range []string{
		"package __vd\nx := 1",
		"package __vd.deeper\nx := 1",
		"package p\n__vd := 1",
		"package p\nx := 1 if __vd := 2",
		"package p\nx := data.__vd.g0",
		"package p\nx := data[\"__vd\"]",
		"package p\nx if data.q with data.__vd as {}",
		"package p\nimport data.__vd",
		"package p\nimport input.x as __vd",
		"package p\nx := [__vd | some __vd in input]",
		"package p\nf(__vd) := 1",
	} {
		p := &parsed{modules: modulesOf(t, text), texts: texts{}}
		_, problems := p.compiled(p.modules, nil)
		if len(problems) == 0 || !strings.Contains(problems[0].Message, "__vd is kept") || problems[0].Row == 0 {
			t.Errorf("%q: %v", text, problems)
		}
	}
	if err := (&parsed{}).readData([]byte(`{"a": 1, "__vd": {}}`)); err == nil {
		t.Error("data under the name was taken")
	}
	if err := (&parsed{}).readData([]byte(`{"a": {"__vd": {}}}`)); err != nil {
		t.Error(err)
	}
	p := &parsed{modules: modulesOf(t, "package p\nx := input.__vd"), texts: texts{}}
	if _, problems := p.compiled(p.modules, nil); len(problems) > 0 {
		t.Error(problems)
	}
}
