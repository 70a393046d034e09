package main

import (
	"fmt"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
)

func TestArraysOfMembersInNoOrderAreWarnedOf(t *testing.T) {
	for _, one := range []struct{ text, found string }{
		{"found := [v |\n  walk(input, [_, v])\n]", "[2:10]"},
		{"found if [p | walk(input, [p, _]); p != []][0] == [\"a\"]", "[2:10]"},
		{"found if { some x in input.l; y := [v | walk(x, [_, v])]; y[0] }", "[2:36]"},
		{"found := {v | walk(input, [_, v])}", "[]"},
		{"found := count([v | walk(input, [_, v])])", "[]"},
		{"found if 3 in [v | walk(input, [_, v])]", "[]"},
		{"found := sort([v | walk(input, [_, v])])", "[]"},
		{"found := [v | some v in input.l; count({x | walk(v, [_, x])}) > 1]", "[]"},
		{"found := [v | some v in object]", "[2:10]"},
		{"found := [v | v := object[_]]", "[2:10]"},
		{"found if { some x in input.l; y := [k | some k, v in object; v == x]; y[0] }", "[2:36]"},
		{"found := [v | k := input.k; v := object[k]]", "[]"},
		{"found := [v | some k in input.l; v := object[k]]", "[]"},
		{"found := y if { some k in input.l; y := [v | v := object[k]] }", "[]"},
		{"found := {v | some v in object}", "[]"},
		{"found := concat(\"\", sort([v | some v in object]))", "[]"},
		{"found := [v | some v in [1, 2, object.a]]", "[]"},
	} {
		modules := modulesOf(t, "package p\n"+one.text+"\nobject[k] := k if some k in input.l")
		compiler := ast.NewCompiler()
		if compiler.Compile(modules); compiler.Failed() {
			t.Fatal(compiler.Errors)
		}
		places := []string{}
		for _, problem := range (&parsed{modules: modules, texts: texts{}}).orderProblems(compiler, modules) {
			places = append(places, fmt.Sprintf("%d:%d", problem.Row, problem.Col))
		}
		if text := fmt.Sprint(places); text != one.found {
			t.Errorf("%s: %s in %s", one.found, text, one.text)
		}
	}
}
