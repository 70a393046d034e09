package main

import (
	"maps"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// lookups say in other words what OPA's Wasm planner gets wrong where a reference finds rules by names that are not
// constant. The planner tries each name that it knows and then the data, in pieces that come after one another:
//
//	not blocked[x]    holds or not as the last piece ends, not as the found one did:    [true | blocked[x]] = []
//	not { a; b }      the same, and as it did the time before, in a loop:               [true | a; b] = []
//	limits[x].v       finds nothing beside a rule limits.w[k], whose level differs:     found = limits[x]; found.v
//	data.lib[x]       calls functions of data.lib without operands, which is no Wasm:   they move, see moveFunctions
//	data.list[2]      is never the member "2":                                          see bindNumbers
//	with f as v       is not handed on to what is found so:                             it moves, see moveMocks
//	with f as g with input.x as y    replaces another place than input.x:               with input.x as y with f as g
//	with input.a as v                writes into an input that is no object:            with input as ..., see replaceWhole
//
// Bodies are compiled: what is computed before `not` stands before it by then, so that `not` is all that is reworded.
type lookups struct {
	// rules and variables have paths as text, below which stand rules at all, and rules of a variable name further down.
	rules, variables map[string]bool
	needs            needs
	// inside is the path of the rules whose bodies are reworded now.
	inside  string
	bound   int
	changed bool
	// numbers is true where data is looked up by numbers; mocked is what `with` replaces,
	// or what is not to be touched otherwise.
	numbers bool
	mocked  []ast.Ref
	// inputs is true where members of the input are replaced.
	inputs bool
}

// rewordLookups changes compiled modules, adds some, and answers whether there was anything to change.
func rewordLookups(modules map[string]*ast.Module, graph *ast.Graph) bool {
	moved := false
	var mocked []ast.Ref
	if seesAllData(modules) {
		mocked = append(mocked, ast.DefaultRootRef)
	} else {
		moved = moveFunctions(modules)
		moved = moveMocks(modules) || moved
	}
	moved = sortMocks(modules) || moved
	all := slices.Collect(maps.Values(modules))
	found := &lookups{
		rules: map[string]bool{}, variables: map[string]bool{}, needs: needsOf(all, graph), changed: moved, mocked: mocked,
	}
	for _, module := range all {
		for _, rule := range module.Rules {
			found.add(rule)
		}
	}
	eachExpr(modules, func(expr *ast.Expr) {
		for _, with := range expr.With {
			found.mocked = append(found.mocked, with.Target.Value.(ast.Ref))
		}
	})
	for _, module := range all {
		ast.NewGenericVisitor(func(node any) bool {
			switch node := node.(type) {
			case *ast.Rule:
				found.inside = planned(node.Ref())
				node.Body = found.reword(node.Body)
			case *ast.ArrayComprehension:
				node.Body = found.reword(node.Body)
			case *ast.SetComprehension:
				node.Body = found.reword(node.Body)
			case *ast.ObjectComprehension:
				node.Body = found.reword(node.Body)
			case *ast.Every:
				node.Body = found.reword(node.Body)
			case *ast.LogicalAnd:
				node.Lhs, node.Rhs = found.reword(node.Lhs), found.reword(node.Rhs)
				// As if it were written in braces: else names that only a list of solutions uses would be unsafe.
				node.ExplicitLhs, node.ExplicitRhs = true, true
			case *ast.LogicalOr:
				node.Lhs, node.Rhs = found.reword(node.Lhs), found.reword(node.Rhs)
				node.ExplicitLhs, node.ExplicitRhs = true, true
			}
			return false
		}).Walk(module)
	}
	if found.numbers {
		modules[reservedName+" places"] = ast.MustParseModuleWithOpts(placesModule, ast.ParserOptions{RegoVersion: ast.RegoV1})
	}
	if found.inputs {
		modules[reservedName+" inputs"] = ast.MustParseModuleWithOpts(inputsModule, ast.ParserOptions{RegoVersion: ast.RegoV1})
	}
	return found.changed
}

func (l *lookups) add(rule *ast.Rule) {
	ref := rule.Ref()
	variable := firstVariable(ref)
	for at := 1; at < len(ref) && at <= variable; at++ {
		path := ref[:at].String()
		l.rules[path] = true
		l.variables[path] = l.variables[path] || at < variable && variable < len(ref)
	}
}

func (l *lookups) reword(body ast.Body) ast.Body {
	var reworded ast.Body
	for _, expr := range body {
		l.replaceWhole(expr)
		block, isBlock := expr.Terms.(*ast.Not)
		searches := l.searches(expr)
		before := append(l.bind(expr), l.bindNumbers(expr)...)
		isFaulty := isBlock || expr.Negated && (searches || len(before) > 0)
		switch {
		case isBlock:
			reworded.Append(withoutAny(block.Body, expr))
		case isFaulty:
			inner := expr.Copy()
			inner.Negated, inner.With = false, nil
			reworded.Append(withoutAny(append(before, inner), expr))
		case len(before) > 0:
			for _, one := range before {
				one.With = withCopies(expr.With)
				reworded.Append(one)
			}
			reworded.Append(expr)
		default:
			reworded.Append(expr)
		}
		l.changed = l.changed || isFaulty || len(before) > 0
	}
	return reworded
}

// searches is true of an expression that the planner lays out in several pieces.
func (l *lookups) searches(expr *ast.Expr) bool {
	found := expr.IsCall() && expr.Operator().Equal(ast.WalkBuiltin.Ref())
	l.eachLookup(expr, func(_ *ast.Term, ref ast.Ref, at int) {
		found = found || l.rules[ref[:at].String()]
	})
	return found
}

// bind takes out of an expression what leads into rules of different levels, and answers what finds it.
func (l *lookups) bind(expr *ast.Expr) []*ast.Expr {
	var before []*ast.Expr
	l.eachLookup(expr, func(term *ast.Term, ref ast.Ref, at int) {
		if at == len(ref)-1 || !l.variables[ref[:at].String()] || !l.needs.allow(l.inside, ref[:at]) {
			return
		}
		known := at + 1
		name := l.fresh(term.Location)
		found := ast.Equality.Expr(name, ast.NewTerm(ref[:known:known]).SetLocation(term.Location)).SetLocation(expr.Location)
		before = append(before, found)
		term.Value = append(ast.Ref{name}, ref[known:]...)
	})
	return before
}

// eachLookup visits the references of an expression that have a variable among their names, and where the first stands.
func (l *lookups) eachLookup(expr *ast.Expr, visit func(term *ast.Term, ref ast.Ref, at int)) {
	eachOperand(expr, func(term *ast.Term) {
		if ref, is := term.Value.(ast.Ref); is {
			if at := firstVariable(ref); at < len(ref) {
				visit(term, ref, at)
			}
		}
	})
}

func eachOperand(expr *ast.Expr, visit func(*ast.Term)) {
	switch own := expr.Terms.(type) {
	case *ast.Term:
		visit(own)
	case []*ast.Term:
		for _, term := range own[1:] {
			visit(term)
		}
	}
}

// withoutAny says by an empty list of solutions that there are none, where an expression says `not`.
func withoutAny(body []*ast.Expr, negated *ast.Expr) *ast.Expr {
	at := negated.Location
	solutions := ast.ArrayComprehensionTerm(ast.BooleanTerm(true).SetLocation(at), ast.NewBody(body...))
	none := ast.Equality.Expr(solutions.SetLocation(at), ast.ArrayTerm().SetLocation(at)).SetLocation(at)
	none.With = negated.With
	return none
}

func withCopies(all []*ast.With) []*ast.With {
	var copies []*ast.With
	for _, one := range all {
		copies = append(copies, one.Copy())
	}
	return copies
}

// firstVariable is where the constant names of an absolute reference end; its length, where it is no such reference.
func firstVariable(ref ast.Ref) int {
	if !ref.HasPrefix(ast.DefaultRootRef) {
		return len(ref)
	}
	return len(constantNames(ref)) + 1
}
