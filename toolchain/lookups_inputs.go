package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// What `with input.a as v` makes of an input that is no object is the object with `a` alone. OPA's Wasm writes the member
// into whatever stands there, be it a number or a text, and goes on with what that memory becomes.
const inputsModule = `package ` + reservedName + `.inputs
put(found, name, value) := object.union({k: x | some one in found; is_object(one); some k, x in one; k != name}, {name: value})
`

// replaceWhole replaces all of the input where an expression replaces members of it.
func (l *lookups) replaceWhole(expr *ast.Expr) {
	hasMembers := false
	for _, with := range expr.With {
		ref, is := inputRef(with.Target)
		hasMembers = hasMembers || is && len(ref) > 1
	}
	if !hasMembers {
		return
	}
	whole := ast.NewTerm(ast.InputRootRef.Copy()).SetLocation(expr.Location)
	var kept []*ast.With
	first := -1
	for _, with := range expr.With {
		ref, is := inputRef(with.Target)
		if !is {
			kept = append(kept, with)
			continue
		}
		if first < 0 {
			first = len(kept)
		}
		whole = l.put(whole, ref[1:], with.Value)
	}
	all := &ast.With{Target: ast.NewTerm(ast.InputRootRef.Copy()).SetLocation(expr.Location), Value: whole}
	expr.With = slices.Insert(kept, first, all.SetLocation(expr.Location))
	l.inputs, l.changed = true, true
}

// put answers what a document becomes with a value at a path of names; the value itself, where there is none.
func (l *lookups) put(document *ast.Term, path ast.Ref, value *ast.Term) *ast.Term {
	for at := len(path) - 1; at >= 0; at-- {
		root, found := l.fresh(value.Location), l.fresh(value.Location)
		place := ast.NewTerm(slices.Concat(ast.Ref{root}, path[:at])).SetLocation(value.Location)
		if at == 0 {
			place = root
		}
		body := ast.NewBody(ast.Equality.Expr(root, document.Copy()), ast.Equality.Expr(found, place))
		value = ast.CallTerm(
			ast.MustParseTerm("data."+reservedName+".inputs.put"),
			ast.ArrayComprehensionTerm(found, body), path[at], value,
		)
		ast.WalkTerms(value, func(part *ast.Term) bool {
			part.Location = document.Location
			return false
		})
	}
	return value
}

func inputRef(term *ast.Term) (ast.Ref, bool) {
	ref, is := term.Value.(ast.Ref)
	return ref, is && ref.HasPrefix(ast.InputRootRef)
}
