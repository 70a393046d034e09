package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// reach answers which builtins an evaluation can call. Nodes of its graph are references (as text) and the rules that
// a reference can mean; each is walked once, however many entrypoints there are. It takes too many rather than too
// few: mocks count beside what they replace, and a dynamic reference means every rule under its constant beginning.
type reach struct {
	compiler *ast.Compiler
	known    map[string]struct{}
	rules    map[string][]*ast.Rule
	uses     map[*ast.Rule]*uses
}

type uses struct {
	builtins []string
	refs     map[string]ast.Ref
}

func newReach(compiler *ast.Compiler) *reach {
	known := map[string]struct{}{}
	for _, builtin := range compiler.Capabilities().Builtins {
		known[builtin.Name] = struct{}{}
	}
	return &reach{compiler, known, map[string][]*ast.Rule{}, map[*ast.Rule]*uses{}}
}

func (r *reach) builtinsFrom(entrypoint ast.Ref) []string {
	found := map[string]struct{}{}
	for _, rule := range r.rulesFrom(entrypoint) {
		for _, name := range r.usesOf(rule).builtins {
			found[name] = struct{}{}
		}
	}
	return sortedKeys(found)
}

// rulesFrom answers every rule that an evaluation of the entrypoint can meet, in no order.
func (r *reach) rulesFrom(entrypoint ast.Ref) []*ast.Rule {
	found := []*ast.Rule{}
	seenRefs := map[string]struct{}{}
	seenRules := map[*ast.Rule]struct{}{}
	waiting := map[string]ast.Ref{entrypoint.String(): entrypoint}
	for len(waiting) > 0 {
		next := map[string]ast.Ref{}
		for text, ref := range waiting {
			if _, seen := seenRefs[text]; seen {
				continue
			}
			seenRefs[text] = struct{}{}
			for _, rule := range r.rulesOf(text, ref) {
				if _, seen := seenRules[rule]; seen {
					continue
				}
				seenRules[rule] = struct{}{}
				found = append(found, rule)
				for text, ref := range r.usesOf(rule).refs {
					next[text] = ref
				}
			}
		}
		waiting = next
	}
	return found
}

func (r *reach) rulesOf(text string, ref ast.Ref) []*ast.Rule {
	rules, known := r.rules[text]
	if !known {
		rules = r.compiler.GetRulesDynamicWithOpts(ref, ast.RulesOptions{IncludeHiddenModules: true})
		// OPA answers them in no order.
		slices.SortFunc(rules, func(a, b *ast.Rule) int { return compareLocations(a.Loc(), b.Loc()) })
		r.rules[text] = rules
	}
	return rules
}

func (r *reach) usesOf(rule *ast.Rule) *uses {
	if used, known := r.uses[rule]; known {
		return used
	}
	used := &uses{refs: map[string]ast.Ref{}}
	names := map[string]struct{}{}
	walkTerms(rule, func(term *ast.Term, _ *ast.Location) {
		if ref, is := dataRef(term); is {
			used.refs[ref.String()] = ref
			return
		}
		switch term.Value.(type) {
		case ast.Ref, ast.Var:
			// A local variable has a generated name in compiled rules, so a name that is a builtin's means it.
			if _, is := r.known[term.Value.String()]; is {
				names[term.Value.String()] = struct{}{}
			}
		}
	})
	used.builtins = sortedKeys(names)
	r.uses[rule] = used
	return used
}
