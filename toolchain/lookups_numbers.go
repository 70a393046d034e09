package main

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// OPA's store takes a number for the name of an object's member, too: data.limits[2] is that of {"limits": {"2": 5}}.
// Wasm keeps them apart.
const placesModule = `package ` + reservedName + `.places
at(document, number, name) := found if found := document[number]
else := document[name]
`

// bindNumbers takes out of an expression what leads to numbers in data that no rule makes, and answers what finds it.
func (l *lookups) bindNumbers(expr *ast.Expr) []*ast.Expr {
	var before []*ast.Expr
	eachOperand(expr, func(term *ast.Term) {
		ref, is := dataRef(term)
		for is {
			at := firstVariable(ref)
			if at == len(ref) || !isIndex(ref[at]) || l.replaced(ref[:at]) {
				return
			}
			name := ast.StringTerm(string(ref[at].Value.(ast.Number))).SetLocation(ref[at].Location)
			if at == 1 {
				named := slices.Concat(ref[:1], ast.Ref{name}, ref[2:])
				if l.replaced(named[:2]) || l.meetsRules(named[:2]) {
					return
				}
				ref, l.changed = named, true
				term.Value = ref
				continue
			}
			if l.meetsRules(ref[:at]) {
				return
			}
			var document, found *ast.Term
			document = ast.NewTerm(ref[:at:at]).SetLocation(term.Location)
			for ; at < len(ref); at++ {
				if !isIndex(ref[at]) {
					if !isText(ref[at]) {
						break
					}
					document = ast.NewTerm(append(asRef(document), ref[at])).SetLocation(term.Location)
					continue
				}
				found = l.fresh(term.Location)
				name := ast.StringTerm(string(ref[at].Value.(ast.Number))).SetLocation(ref[at].Location)
				call := ast.NewExpr([]*ast.Term{
					ast.MustParseTerm("data." + reservedName + ".places.at"), document, ref[at], name, found,
				})
				ast.WalkTerms(call, func(part *ast.Term) bool {
					part.Location = term.Location
					return false
				})
				before = append(before, call.SetLocation(expr.Location))
				document = found
			}
			term.Value = append(asRef(document), ref[at:]...)
			return
		}
	})
	l.numbers = l.numbers || len(before) > 0
	return before
}

func asRef(term *ast.Term) ast.Ref {
	if ref, is := term.Value.(ast.Ref); is {
		return slices.Clone(ref)
	}
	return ast.Ref{term}
}

func isIndex(term *ast.Term) bool {
	number, is := term.Value.(ast.Number)
	if !is {
		return false
	}
	_, err := strconv.ParseUint(string(number), 10, 31)
	return err == nil
}

// replaced is true of a path of which `with` replaces something, somewhere: that is a value like any other.
func (l *lookups) replaced(path ast.Ref) bool {
	return slices.ContainsFunc(l.mocked, func(target ast.Ref) bool {
		return target.HasPrefix(path) || path.HasPrefix(target)
	})
}

// meetsRules is true of a path where rules stand, above it or below.
func (l *lookups) meetsRules(path ast.Ref) bool {
	for at := 2; at <= len(path); at++ {
		if _, is := l.needs[planned(path[:at])]; is {
			return true
		}
	}
	return l.rules[path.String()]
}

func (l *lookups) fresh(at *ast.Location) *ast.Term {
	// A space keeps the name apart from all that sources can spell.
	name := ast.VarTerm(fmt.Sprintf("%s %d", reservedName, l.bound)).SetLocation(at)
	l.bound++
	return name
}
