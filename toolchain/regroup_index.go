package main

import (
	"cmp"
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Why rules are tried one after the other.
const (
	// Nothing is regrouped at all.
	whyAllData = "all-data"
	whyMock    = "mock"
	// Rules of this kind stay where they are.
	whyVersion  = "rego-v0"
	whyMetadata = "metadata"
	whyDefault  = "default"
	whyElse     = "else"
	whyName     = "name"
	whyObject   = "object"
	// Rules that could move, and are not worth it or have nothing to be found by.
	whyNoConstant = "no-constant"
	whyFew        = "few"
	whyNoGain     = "no-gain"
)

// index says which rules are found by what they compare with constants, and why others are not.
type index struct {
	// Hindrance is why nothing is regrouped.
	Hindrance *tried        `json:"hindrance,omitempty"`
	Rules     []indexedRule `json:"rules"`
}

// indexedRule are the definitions of one path, if there are several.
type indexedRule struct {
	Path        string  `json:"path"`
	Definitions int     `json:"definitions"`
	Found       []found `json:"found"`
	Tried       []tried `json:"tried"`
	spot
}

// found are definitions that are found by what the input has at these places.
type found struct {
	// By are the places as Rego has them, arguments of functions by their number.
	By          []string `json:"by"`
	Definitions int      `json:"definitions"`
	spot
}

// tried are definitions that are tried one after the other, for one reason.
type tried struct {
	Why         string `json:"why"`
	Definitions int    `json:"definitions,omitempty"`
	spot
}

func (r regrouping) index(modules map[string]*ast.Module) *index {
	answer := &index{Rules: []indexedRule{}}
	compiler := ast.NewCompiler().WithCapabilities(capabilities()).WithOnlyStagesUpTo(ast.StageResolveRefs)
	if compiler.Compile(modules); compiler.Failed() {
		return answer
	}
	families, stay := candidatesIn(compiler.Modules)
	if why, where := hindrance(compiler.Modules); why != "" {
		answer.Hindrance, families = &tried{Why: why, spot: placeOf(where)}, nil
	}
	definitions := map[string][]*ast.Rule{}
	for _, file := range sortedPaths(compiler.Modules) {
		for _, rule := range compiler.Modules[file].Rules {
			if !rule.Default {
				path := rule.Ref().String()
				definitions[path] = append(definitions[path], rule)
			}
		}
	}
	for _, path := range slices.Sorted(maps.Keys(definitions)) {
		if rules := definitions[path]; len(rules) > 1 {
			answer.Rules = append(answer.Rules, r.indexed(path, rules, families[path], func(rule *ast.Rule) string {
				switch {
				case stay[rule] != "":
					return stay[rule]
				case answer.Hindrance != nil:
					return answer.Hindrance.Why
				case len(families[path]) < r.least:
					return whyFew
				}
				return whyNoGain
			}))
		}
	}
	return answer
}

func (r regrouping) indexed(path string, rules []*ast.Rule, family []candidate, whyOf func(*ast.Rule) string) indexedRule {
	one := indexedRule{path, len(rules), []found{}, []tried{}, placeOf(rules[0].Loc())}
	moved := map[*ast.Rule]bool{}
	for _, chosen := range r.groups(family) {
		by := []string{}
		for _, of := range chosen.places {
			by = append(by, of.String())
		}
		one.Found = append(one.Found, found{by, len(chosen.rules), placeOf(chosen.rules[0].rule.Loc())})
		for _, rule := range chosen.rules {
			moved[rule.rule] = true
		}
	}
	reasons := map[string]*tried{}
	for _, rule := range rules {
		if moved[rule] {
			continue
		}
		why := whyOf(rule)
		if reasons[why] == nil {
			reasons[why] = &tried{why, 0, placeOf(rule.Loc())}
		}
		reasons[why].Definitions++
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		one.Tried = append(one.Tried, *reasons[why])
	}
	slices.SortStableFunc(one.Tried, func(a, b tried) int { return cmp.Compare(b.Definitions, a.Definitions) })
	return one
}
