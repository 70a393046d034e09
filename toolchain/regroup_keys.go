package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Rules are copied once for each value that they take, up to this many times.
const mostCopies = 16

// key is a place of the input that a rule needs to be one of these strings.
type key struct {
	path   []string
	values []string
}

// keysOf answers the keys of a rule with absolute references, by their paths as text. All expressions of its body that
// are not negated and see the rule's own input hold together, for one value of each variable: an equation says so
// whether it binds, compares or unifies.
func keysOf(rule *ast.Rule) map[string]key {
	p := places{}
	p.findAliases(rule.Body)
	found := map[string]key{}
	for _, expr := range rule.Body {
		path, values, is := p.constraint(expr)
		if !is || len(values) == 0 || len(values) > mostCopies {
			continue
		}
		name := pathText(path)
		// A second constraint on one place is tested by the body, which stays whole.
		if _, known := found[name]; !known {
			found[name] = key{path, values}
		}
	}
	return found
}

func pathText(path []string) string {
	quoted := make([]string, len(path))
	for i, part := range path {
		quoted[i] = strconv.Quote(part)
	}
	return strings.Join(quoted, ".")
}

// places are the variables of a body that stand for a place of the input.
type places map[ast.Var][]string

func (p places) findAliases(body ast.Body) {
	for again := true; again; {
		again = false
		for _, expr := range body {
			if !isEquation(expr) {
				continue
			}
			for side := range 2 {
				name, is := expr.Operand(side).Value.(ast.Var)
				if _, known := p[name]; !is || known {
					continue
				}
				if path, is := p.of(expr.Operand(1 - side)); is {
					p[name], again = path, true
				}
			}
		}
	}
}

func isEquation(expr *ast.Expr) bool {
	return isPlainCall(expr, ast.Assign.Name, ast.Equality.Name, ast.Equal.Name)
}

func isPlainCall(expr *ast.Expr, names ...string) bool {
	return !expr.Negated && len(expr.With) == 0 && expr.IsCall() && len(expr.Operands()) == 2 &&
		slices.Contains(names, expr.Operator().String())
}

// of answers where in the input a term stands.
func (p places) of(term *ast.Term) ([]string, bool) {
	switch value := term.Value.(type) {
	case ast.Var:
		path, is := p[value]
		return path, is
	case ast.Ref:
		head, is := value[0].Value.(ast.Var)
		names := constantNames(value)
		if !is || len(names) != len(value)-1 {
			return nil, false
		}
		path, is := p[head]
		if !is && !head.Equal(ast.InputRootDocument.Value) {
			return nil, false
		}
		return append(slices.Clone(path), names...), true
	}
	return nil, false
}

// constraint answers the place that an expression needs to be one of some strings.
func (p places) constraint(expr *ast.Expr) (path, values []string, is bool) {
	switch {
	case isEquation(expr):
		for side := range 2 {
			path, is = p.of(expr.Operand(side))
			text, constant := expr.Operand(1 - side).Value.(ast.String)
			if is && constant {
				return path, []string{string(text)}, len(path) > 0 && representable(string(text))
			}
		}
	case isPlainCall(expr, ast.Member.Name):
		path, is = p.of(expr.Operand(0))
		values, all := stringsOf(expr.Operand(1))
		return path, values, is && all && len(path) > 0
	}
	return nil, nil, false
}

// stringsOf answers the distinct members of a set or an array of strings.
func stringsOf(term *ast.Term) ([]string, bool) {
	found, all := map[string]struct{}{}, true
	take := func(item *ast.Term) {
		text, is := item.Value.(ast.String)
		all = all && is && representable(string(text))
		found[string(text)] = struct{}{}
	}
	switch value := term.Value.(type) {
	case ast.Set:
		value.Foreach(take)
	case *ast.Array:
		value.Foreach(take)
	default:
		return nil, false
	}
	return sortedKeys(found), all
}

// representable are the names that OPA's Wasm can dispatch to (see unreadableNames).
func representable(name string) bool {
	return json.Valid([]byte(strconv.Quote(name)))
}

// combinations answers the values of a rule at these paths, each with each.
func combinations(keys map[string]key, paths [][]string) [][]string {
	all := [][]string{{}}
	for _, path := range paths {
		var longer [][]string
		for _, values := range all {
			for _, value := range keys[pathText(path)].values {
				longer = append(longer, append(slices.Clone(values), value))
			}
		}
		all = longer
	}
	return all
}
