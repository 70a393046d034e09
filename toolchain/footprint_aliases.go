package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// findAliases names the variables that are bound once, by an equation with a place of the input, and nowhere else
// could be: not by a pattern, a call's result, an index that is searched for, an argument, or what `every` ranges over.
func (r *reader) findAliases(rule *ast.Rule) {
	count := &bindings{footprint: r.footprint, equations: map[ast.Var]int{}, bound: map[ast.Var]bool{}}
	count.rule(rule)
	count.settle()
	canBe := func(term *ast.Term) (ast.Var, bool) {
		name, is := term.Value.(ast.Var)
		_, known := r.aliases[name]
		once := count.equations[name] == 1 && !count.bound[name]
		return name, is && once && !known && !name.Equal(ast.InputRootDocument.Value)
	}
	// Aliases of aliases come to light one after the other.
	for again := true; again; {
		again = false
		for _, expr := range count.candidates {
			if !expr.IsEquality() {
				again = r.aliasByCall(expr, canBe) || again
				continue
			}
			if _, known := r.definitions[expr]; known {
				continue
			}
			for side := range 2 {
				name, is := canBe(expr.Operand(side))
				path, place := r.place(expr.Operand(1 - side))
				if is && place {
					r.aliases[name], r.definitions[expr], again = path, name, true
					break
				}
			}
		}
	}
}

// aliasByCall names the result of a function that only passes on a place that it knows, or is given.
func (r *reader) aliasByCall(expr *ast.Expr, canBe func(*ast.Term) (ast.Var, bool)) bool {
	rules, arity := r.functions(expr)
	operands := expr.Operands()
	if len(rules) != 1 || len(operands) == arity {
		return false
	}
	name, is := canBe(operands[arity])
	if !is {
		return false
	}
	v := visit{rules[0], r.argumentsOf(rules, operands[:arity]), true}
	found := r.of(v)
	if found.isPlace {
		r.aliases[name], r.calls[expr] = found.place, v
	}
	return found.isPlace
}

// bindings counts where variables may get their values.
type bindings struct {
	*footprint
	// equations counts the plain equations that a variable is one side of, and the plain calls that it is the result of.
	equations map[ast.Var]int
	// bound are the variables that something else may bind.
	bound      map[ast.Var]bool
	candidates []*ast.Expr
	// pairs are the plain equations of two variables.
	pairs []*ast.Expr
}

// settle takes an equation for the definition of the one variable that has no other: it compares the other with
// nothing then.
func (b *bindings) settle() {
	for again := true; again; {
		again = false
		b.pairs = slices.DeleteFunc(b.pairs, func(expr *ast.Expr) bool {
			for side := range 2 {
				name, other := expr.Operand(side).Value.(ast.Var), expr.Operand(1-side).Value.(ast.Var)
				root := ast.RootDocumentNames.Contains(ast.NewTerm(name))
				if b.equations[name] == 1 && !b.bound[name] && name != other && !root {
					b.equations[other]--
					again = true
					return true
				}
			}
			return false
		})
	}
}

func (b *bindings) rule(rule *ast.Rule) {
	for branch := rule; branch != nil; branch = branch.Else {
		for _, argument := range branch.Head.Args {
			b.bind(argument)
		}
		for _, part := range branch.Head.Reference {
			b.inside(part)
		}
		for _, part := range []*ast.Term{branch.Head.Key, branch.Head.Value} {
			if part != nil {
				b.inside(part)
			}
		}
		b.body(branch.Body)
	}
}

func (b *bindings) body(body ast.Body) {
	for _, expr := range body {
		b.expr(expr)
	}
}

func (b *bindings) expr(expr *ast.Expr) {
	for _, with := range expr.With {
		b.bind(with.Target)
		b.bind(with.Value)
	}
	switch terms := expr.Terms.(type) {
	case *ast.Term:
		b.inside(terms)
	case []*ast.Term:
		if expr.IsEquality() && len(terms) == 3 {
			b.equation(expr)
			return
		}
		b.call(expr)
	case *ast.Every:
		if terms.Key != nil {
			b.bind(terms.Key)
		}
		b.bind(terms.Value)
		b.inside(terms.Domain)
		b.body(terms.Body)
	case *ast.SomeDecl:
		for _, symbol := range terms.Symbols {
			b.bind(symbol)
		}
	}
}

func (b *bindings) call(expr *ast.Expr) {
	operands := expr.Operands()
	result := len(operands) - 1
	if !b.hasResult(expr) {
		result = -1
	}
	for at, term := range operands {
		name, is := term.Value.(ast.Var)
		switch {
		case at != result:
			b.inside(term)
		case is && !expr.Negated && len(expr.With) == 0:
			b.equations[name]++
			b.candidates = append(b.candidates, expr)
		default:
			b.bind(term)
		}
	}
}

// hasResult is true where the last operand of a call may be where its result goes.
func (b *bindings) hasResult(expr *ast.Expr) bool {
	if rules, arity := b.functions(expr); rules != nil {
		return len(expr.Operands()) > arity
	}
	if builtin, known := ast.BuiltinMap[expr.Operator().String()]; known && !b.isMocked(expr.Operator()) {
		return len(expr.Operands()) > builtin.Decl.Arity()
	}
	return true
}

func (b *bindings) equation(expr *ast.Expr) {
	// A negated equation compares; one under `with` may see another input.
	plain := !expr.Negated && len(expr.With) == 0
	for side := range 2 {
		term := expr.Operand(side)
		switch value := term.Value.(type) {
		case ast.Var:
			b.equations[value]++
			if !plain {
				b.bound[value] = true
			}
		case ast.Ref:
			b.inside(term)
		default:
			b.bind(term)
		}
	}
	_, left := expr.Operand(0).Value.(ast.Var)
	if _, right := expr.Operand(1).Value.(ast.Var); plain && left && right {
		b.pairs = append(b.pairs, expr)
	}
	if plain {
		b.candidates = append(b.candidates, expr)
	}
}

// bind takes a term as a pattern: its variables are bound there. What a closure in it says binds nothing outside.
func (b *bindings) bind(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Var:
		b.bound[value] = true
	case *ast.Array, ast.Set, ast.Object:
		within(value, b.bind, b.body)
	default:
		b.inside(term)
	}
}

// inside takes a term that is used: what it indexes with may be bound there, and so may what its closures say.
func (b *bindings) inside(term *ast.Term) {
	switch value := term.Value.(type) {
	case ast.Ref:
		for _, part := range value[1:] {
			b.bind(part)
		}
		if _, is := value[0].Value.(ast.Var); !is {
			b.inside(value[0])
		}
	case ast.Call:
		for _, part := range value[1:] {
			b.bind(part)
		}
	default:
		within(value, b.inside, b.body)
	}
}
