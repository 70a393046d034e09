package main

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// needs says for each path at which rules are planned, which is where the constant names of their references end, what
// other such paths their bodies lead to. The planner takes all rules of a path as one function.
type needs map[string]map[string]bool

func needsOf(modules []*ast.Module, graph *ast.Graph) needs {
	all := needs{}
	for _, module := range modules {
		ast.WalkRules(module, func(rule *ast.Rule) bool {
			own := all.at(planned(rule.Ref()))
			for needed := range graph.Dependencies(rule) {
				if needed, is := needed.(*ast.Rule); is {
					own[planned(needed.Ref())] = true
				}
			}
			return false
		})
	}
	return all
}

func (n needs) at(path string) map[string]bool {
	if n[path] == nil {
		n[path] = map[string]bool{}
	}
	return n[path]
}

// allow notes that the rules of a path need all that stands below a reference, unless some of it needs them.
func (n needs) allow(path string, below ast.Ref) bool {
	prefix := planned(below)
	seen := map[string]bool{}
	var leads func(from string) bool
	leads = func(from string) bool {
		if from == path {
			return true
		}
		if seen[from] {
			return false
		}
		seen[from] = true
		for next := range n[from] {
			if leads(next) {
				return true
			}
		}
		return false
	}
	var found []string
	for from := range n {
		if strings.HasPrefix(from, prefix) || strings.HasPrefix(prefix, from) {
			if leads(from) {
				return false
			}
			found = append(found, from)
		}
	}
	for _, from := range found {
		n.at(path)[from] = true
	}
	return true
}

// planned writes the constant names that a reference begins with, each with an end, so that one path is the beginning
// of another's text only where it stands above it.
func planned(ref ast.Ref) string {
	var text strings.Builder
	for _, name := range constantNames(ref) {
		text.WriteString(name)
		text.WriteByte(0)
	}
	return text.String()
}
