package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// place is where a rule looks: in the input, or in an argument of its own.
type place struct {
	// argument counts from one; none is the input.
	argument int
	path     []string
	// each is one more than the names that lead to what is iterated, of which any member will do; none is iterated at 0.
	each int
}

// String is the place as Rego has it, an argument by its number.
func (p place) String() string {
	var text strings.Builder
	if p.argument == 0 {
		text.WriteString("input")
	} else {
		text.WriteString("argument " + strconv.Itoa(p.argument))
	}
	for at, name := range p.path {
		if p.each == at+1 {
			text.WriteString("[_]")
		}
		if ast.IsVarCompatibleString(name) {
			text.WriteString("." + name)
		} else {
			text.WriteString("[" + strconv.Quote(name) + "]")
		}
	}
	if p.each == len(p.path)+1 {
		text.WriteString("[_]")
	}
	return text.String()
}

// term answers the place as an expression has it; member stands for what is iterated.
func (p place) term(root, member *ast.Term) *ast.Term {
	names := p.path
	if p.each > 0 {
		root, names = member, p.path[p.each-1:]
	}
	if len(names) == 0 {
		return root
	}
	ref := ast.Ref{root}
	for _, name := range names {
		ref = ref.Append(ast.StringTerm(name))
	}
	return ast.NewTerm(ref)
}

// places are the variables of a body that stand for a place.
type places map[ast.Var]place

func (p places) findAliases(body ast.Body) {
	for again := true; again; {
		again = false
		for _, expr := range body {
			if name, of, is := p.iteration(expr); is {
				p[name], again = of, true
			}
			if !isEquation(expr) {
				continue
			}
			for side := range 2 {
				name, is := expr.Operand(side).Value.(ast.Var)
				if _, known := p[name]; !is || known {
					continue
				}
				if of, is := p.of(expr.Operand(1 - side)); is {
					p[name], again = of, true
				}
			}
		}
	}
}

// iteration reads `some name in place`, and the form with a key.
func (p places) iteration(expr *ast.Expr) (name ast.Var, of place, is bool) {
	some, is := expr.Terms.(*ast.SomeDecl)
	if !is || len(some.Symbols) != 1 || len(expr.With) > 0 {
		return "", place{}, false
	}
	call, is := some.Symbols[0].Value.(ast.Call)
	if !is || len(call) < 3 {
		return "", place{}, false
	}
	name, is = call[len(call)-2].Value.(ast.Var)
	if _, known := p[name]; !is || known {
		return "", place{}, false
	}
	of, is = p.of(call[len(call)-1])
	if !is || of.each > 0 {
		return "", place{}, false
	}
	of.each = len(of.path) + 1
	return name, of, true
}

func isEquation(expr *ast.Expr) bool {
	return isPlainCall(expr, ast.Assign.Name, ast.Equality.Name, ast.Equal.Name)
}

func isPlainCall(expr *ast.Expr, names ...string) bool {
	return !expr.Negated && len(expr.With) == 0 && expr.IsCall() && len(expr.Operands()) == 2 &&
		slices.Contains(names, expr.Operator().String())
}

// of answers where a term stands. What is no constant name, an index too, is one member or other.
func (p places) of(term *ast.Term) (place, bool) {
	switch value := term.Value.(type) {
	case ast.Var:
		of, is := p[value]
		return of, is
	case ast.Ref:
		head, is := value[0].Value.(ast.Var)
		if !is {
			return place{}, false
		}
		of, is := p[head]
		if !is && !head.Equal(ast.InputRootDocument.Value) {
			return place{}, false
		}
		of.path = slices.Clone(of.path)
		for _, part := range value[1:] {
			switch name := part.Value.(type) {
			case ast.String:
				of.path = append(of.path, string(name))
			case ast.Var, ast.Number:
				if of.each > 0 {
					return place{}, false
				}
				of.each = len(of.path) + 1
			default:
				return place{}, false
			}
		}
		return of, true
	}
	return place{}, false
}
