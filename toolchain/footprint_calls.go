package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// call reads a call of a function of the sources: what counts of a place that is handed to it is what it reads there.
func (r *reader) call(expr *ast.Expr) bool {
	rules, arity := r.functions(expr)
	if rules == nil {
		return false
	}
	v, passed := r.calls[expr]
	text := v.arguments
	if !passed {
		text = r.argumentsOf(rules, expr.Operands()[:arity])
	}
	given := r.arguments[text]
	for at, operand := range expr.Operands() {
		switch {
		case at < len(given) && given[at] != nil:
			r.shape(given[at], operand)
		case at < arity || !passed:
			r.value(operand)
		}
	}
	r.followed[expr.Terms.([]*ast.Term)[0]]++
	for _, rule := range rules {
		r.next = append(r.next, visit{rule, text, passed})
	}
	return true
}

// functions answers the definitions that a call means, and how many arguments they take: none for a builtin, and none
// where something else may be called instead.
func (f *footprint) functions(expr *ast.Expr) (rules []*ast.Rule, arity int) {
	if !expr.IsCall() {
		return nil, 0
	}
	name := expr.Operator()
	if !name.HasPrefix(ast.DefaultRootRef) || f.isMocked(name) {
		return nil, 0
	}
	rules = f.reach.rulesOf(name.String(), name)
	for _, rule := range rules {
		arity = len(rule.Head.Args)
		if arity == 0 || !rule.Ref().Equal(name) || len(rules[0].Head.Args) != arity {
			return nil, 0
		}
	}
	if extra := len(expr.Operands()) - arity; extra < 0 || extra > 1 {
		return nil, 0
	}
	return rules, arity
}

// argumentsOf answers the places that a call hands to arguments which are plain names in every definition.
func (r *reader) argumentsOf(rules []*ast.Rule, operands []*ast.Term) string {
	given := make([][]string, len(operands))
	parts := make([]string, len(operands))
	some := false
	for at, operand := range operands {
		if path, is := r.place(operand); is && isPlainArgument(rules, at) {
			given[at], some = append([]string{}, path...), true
			parts[at] = "input." + pathText(path)
		}
	}
	if !some {
		return ""
	}
	text := strings.Join(parts, " ")
	for _, rule := range rules {
		if _, known := r.visits[visit{rule: rule, arguments: text}]; !known && r.contexts[rule] >= mostContexts {
			return ""
		}
	}
	r.arguments[text] = given
	return text
}

// pathText writes names so that no two lists give the same text.
func pathText(path []string) string {
	quoted := make([]string, len(path))
	for i, part := range path {
		quoted[i] = strconv.Quote(part)
	}
	return strings.Join(quoted, ".")
}

func isPlainArgument(rules []*ast.Rule, at int) bool {
	for _, rule := range rules {
		for branch := rule; branch != nil; branch = branch.Else {
			name, is := branch.Head.Args[at].Value.(ast.Var)
			same := func(other *ast.Term) bool { return slices.Contains(variablesIn(other), name) }
			others := slices.Concat(branch.Head.Args[:at:at], branch.Head.Args[at+1:])
			if !is || slices.ContainsFunc(others, same) {
				return false
			}
		}
	}
	return true
}

func variablesIn(term *ast.Term) []ast.Var {
	var found []ast.Var
	ast.WalkVars(term, func(name ast.Var) bool {
		found = append(found, name)
		return false
	})
	return found
}

// objectGet reads `object.get(place, "key", otherwise)`, and the form with a path, as the place that it looks up.
func (r *reader) objectGet(expr *ast.Expr) bool {
	operands := expr.Operands()
	if !expr.IsCall() || expr.Operator().String() != ast.ObjectGet.Name || len(operands) < 3 {
		return false
	}
	path, is := r.place(operands[0])
	if !is || r.isMocked(expr.Operator()) {
		return false
	}
	keys, is := constantPath(operands[1])
	if !is {
		return false
	}
	r.shape(path, operands[0])
	r.add(append(slices.Clone(path), keys...), false, operands[0], "")
	for _, operand := range operands[2:] {
		r.value(operand)
	}
	return true
}

func constantPath(term *ast.Term) ([]string, bool) {
	switch value := term.Value.(type) {
	case ast.String:
		return []string{string(value)}, true
	case *ast.Array:
		keys := []string{}
		for i := range value.Len() {
			key, is := value.Elem(i).Value.(ast.String)
			if !is {
				return nil, false
			}
			keys = append(keys, string(key))
		}
		return keys, len(keys) > 0
	}
	return nil, false
}
