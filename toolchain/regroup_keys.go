package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Rules are copied once for each value that they take, up to this many times.
const mostCopies = 16

// key is a place that a rule needs to be one of these constants, or (prefixes) to begin with one of these texts.
type key struct {
	place
	constants []ast.Value
	prefixes  []string
}

// texts answers the values of a key by which OPA's Wasm can dispatch: strings that it can represent. None where others
// would do, too.
func (k key) texts() []string {
	found := map[string]struct{}{}
	for _, constant := range k.constants {
		text, is := constant.(ast.String)
		if !is || !representable(string(text)) {
			return nil
		}
		found[string(text)] = struct{}{}
	}
	if len(k.prefixes) > 0 || k.argument > 0 {
		return nil
	}
	return sortedKeys(found)
}

// keysOf answers the keys of a rule with absolute references, by their places as text. All expressions of a body that
// are not negated and see the rule's own input hold together, for one value of each variable: an equation says so
// whether it binds, compares or unifies. Of an else chain one branch holds: a key is what each of them needs.
func keysOf(rule *ast.Rule) map[string]key {
	found := branchKeys(rule)
	for branch := rule.Else; branch != nil; branch = branch.Else {
		others := branchKeys(branch)
		for name, one := range found {
			other, both := others[name]
			if !both {
				delete(found, name)
				continue
			}
			one.constants = slices.Concat(one.constants, other.constants)
			one.prefixes = slices.Concat(one.prefixes, other.prefixes)
			found[name] = one
		}
	}
	for name, one := range found {
		if len(one.constants)+len(one.prefixes) > mostCopies {
			delete(found, name)
		}
	}
	return found
}

func branchKeys(rule *ast.Rule) map[string]key {
	p := places{}
	found := map[string]key{}
	for at, argument := range rule.Head.Args {
		switch value := argument.Value.(type) {
		case ast.Var:
			if _, twice := p[value]; !twice {
				p[value] = place{argument: at + 1}
			}
		case ast.String, ast.Number:
			if one := (key{place: place{argument: at + 1}}); one.take(argument) {
				found[one.String()] = one
			}
		}
	}
	arguments := maps.Clone(p)
	// Keys that are met where something may have failed before, and those of them that are met again.
	late, twice := map[string]bool{}, []string{}
	plain := rule.Body[:harmlessBeginning(rule.Body)]
	p.findAliases(plain)
	for at, expr := range rule.Body {
		known := arguments
		if at < len(plain) {
			known = p
		}
		one, is := known.constraint(expr)
		if !is || len(one.constants)+len(one.prefixes) == 0 || at >= len(plain) && !one.isIndexed() {
			continue
		}
		// A second constraint on one place is tested by the body, which stays whole. OPA's index takes one of them.
		name := one.String()
		if _, known := found[name]; !known {
			found[name], late[name] = one, at >= len(plain)
		} else if late[name] {
			twice = append(twice, name)
		}
	}
	for _, name := range twice {
		delete(found, name)
	}
	return found
}

// isIndexed is true for what OPA's own index of rules looks at. Wherever in a body it stands, the interpreter does not
// try the rule either when it does not hold: then nothing before it can fail.
func (k key) isIndexed() bool {
	return k.each == 0 && len(k.prefixes) == 0 && (k.argument == 0 || len(k.path) == 0)
}

// harmlessBeginning counts the expressions at the beginning of a body that cannot fail, whatever they look at: they only
// compare what is in the input, in arguments and in constants.
func harmlessBeginning(body ast.Body) int {
	for at, expr := range body {
		plain := len(expr.With) == 0
		switch terms := expr.Terms.(type) {
		case *ast.Term:
			plain = plain && isHarmless(terms)
		case []*ast.Term:
			plain = plain && slices.Contains(harmlessCalls, expr.Operator().String()) && !slices.ContainsFunc(terms[1:], isNotHarmless)
		case *ast.SomeDecl:
			for _, symbol := range terms.Symbols {
				call, is := symbol.Value.(ast.Call)
				plain = plain && (isHarmless(symbol) || is && !slices.ContainsFunc(call[1:], isNotHarmless))
			}
		default:
			plain = false
		}
		if !plain {
			return at
		}
	}
	return len(body)
}

var harmlessCalls = []string{
	ast.Assign.Name, ast.Equality.Name, ast.Equal.Name, ast.NotEqual.Name, ast.LessThan.Name, ast.LessThanEq.Name,
	ast.GreaterThan.Name, ast.GreaterThanEq.Name, ast.Member.Name, ast.StartsWith.Name,
}

func isHarmless(term *ast.Term) bool {
	switch value := term.Value.(type) {
	case ast.Null, ast.Boolean, ast.Number, ast.String:
		return true
	case ast.Var:
		return !value.Equal(ast.DefaultRootDocument.Value)
	case ast.Ref:
		return !slices.ContainsFunc(value, isNotHarmless)
	case *ast.Array:
		return !value.Until(isNotHarmless)
	case ast.Set:
		return !value.Until(isNotHarmless)
	}
	return false
}

func isNotHarmless(term *ast.Term) bool { return !isHarmless(term) }

// constraint answers the place that an expression needs to be one of some constants, or to begin with a text.
func (p places) constraint(expr *ast.Expr) (key, bool) {
	switch {
	case isEquation(expr):
		for side := range 2 {
			of, is := p.of(expr.Operand(side))
			one := key{place: of}
			if is && one.take(expr.Operand(1-side)) {
				return one, one.isSomewhere()
			}
		}
	case isPlainCall(expr, ast.Member.Name):
		if of, is := p.of(expr.Operand(0)); is {
			one := key{place: of}
			return one, one.takeMembers(expr.Operand(1)) && one.isSomewhere()
		}
		// A constant among the members of a place.
		of, is := p.of(expr.Operand(1))
		if !is || of.each > 0 {
			return key{}, false
		}
		of.each = len(of.path) + 1
		one := key{place: of}
		return one, one.take(expr.Operand(0))
	case isPlainCall(expr, ast.StartsWith.Name):
		of, is := p.of(expr.Operand(0))
		text, constant := expr.Operand(1).Value.(ast.String)
		if is && constant && isASCII(string(text)) && text != "" {
			one := key{place: of, prefixes: []string{string(text)}}
			return one, one.isSomewhere()
		}
	}
	return key{}, false
}

// isSomewhere is false for the input itself, which is no string and no number in practice.
func (k key) isSomewhere() bool { return k.argument > 0 || len(k.path) > 0 || k.each > 0 }

// take adds a constant, if the term is one that rules can be found by.
func (k *key) take(term *ast.Term) bool {
	switch value := term.Value.(type) {
	case ast.String:
		if !representable(string(value)) {
			return false
		}
	case ast.Number:
		if !isWholeNumber(term) {
			return false
		}
	default:
		return false
	}
	k.constants = append(k.constants, term.Value)
	return true
}

// takeMembers adds the members of a set or an array of constants.
func (k *key) takeMembers(term *ast.Term) bool {
	all := true
	take := func(item *ast.Term) { all = all && k.take(item) }
	switch value := term.Value.(type) {
	case ast.Set:
		value.Foreach(take)
	case *ast.Array:
		value.Foreach(take)
	default:
		return false
	}
	return all
}

// representable are the names that OPA's Wasm can dispatch to (see unreadableNames).
func representable(name string) bool {
	return json.Valid([]byte(strconv.Quote(name)))
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}

// combinations answers the texts of a rule at these places, each with each.
func combinations(keys map[string]key, places []place) [][]string {
	all := [][]string{{}}
	for _, of := range places {
		var longer [][]string
		for _, values := range all {
			for _, value := range keys[of.String()].texts() {
				longer = append(longer, append(slices.Clone(values), value))
			}
		}
		all = longer
	}
	return all
}
