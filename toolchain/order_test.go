package main

import (
	"fmt"
	"testing"
)

func TestArraysOfWhatWalkFindsAreWarnedOf(t *testing.T) {
	for _, one := range []struct{ text, found string }{
		{"found := [v |\n  walk(input, [_, v])\n]", "[2:10]"},
		{"found if [p | walk(input, [p, _]); p != []][0] == \"a\"", "[2:10]"},
		{"found if { some x in input.l; y := [v | walk(x, [_, v])]; y[0] }", "[2:36]"},
		{"found := {v | walk(input, [_, v])}", "[]"},
		{"found := count([v | walk(input, [_, v])])", "[]"},
		{"found if 3 in [v | walk(input, [_, v])]", "[]"},
		{"found := sort([v | walk(input, [_, v])])", "[]"},
		{"found := [v | some v in input.l; count({x | walk(v, [_, x])}) > 1]", "[]"},
	} {
		modules := modulesOf(t, "package p\n"+one.text)
		places := []string{}
		for _, problem := range (&parsed{modules: modules, texts: texts{}}).orderProblems(modules) {
			places = append(places, fmt.Sprintf("%d:%d", problem.Row, problem.Col))
		}
		if text := fmt.Sprint(places); text != one.found {
			t.Errorf("%s: %s in %s", one.found, text, one.text)
		}
	}
}
