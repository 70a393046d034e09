package main

import (
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/types"
)

// Builtins that give the same for an array in any order.
var orderless = []string{"count", "sort", "sum", "product", "max", "min", "all", "any", ast.Member.Name}

// orderProblems finds arrays that are made of what `walk` finds, or of the members of what rules make objects: OPA's
// Wasm finds the members of an object in another order than its interpreter. What only counts, sorts or searches such
// an array is the same in both. What else is an object only the input can tell.
func (p *parsed) orderProblems(compiler *ast.Compiler, served map[string]*ast.Module) []problem {
	found := []problem{}
	for _, path := range sortedPaths(served) {
		places := map[spot]bool{}
		for _, array := range arraysIn(served[path]) {
			places[placeOf(array.Location)] = true
		}
		for _, rule := range compiler.Modules[path].Rules {
			for branch := rule; branch != nil; branch = branch.Else {
				ast.WalkTerms(branch.Body, func(term *ast.Term) bool {
					array, is := term.Value.(*ast.ArrayComprehension)
					if is && places[placeOf(term.Location)] {
						if what := unordered(compiler, branch, array); what != "" {
							message := fmt.Sprintf("the order of %s is not that of OPA's interpreter: make a set of it, or sort it", what)
							found = append(found, p.texts.at("verdict_order_warning", message, term.Location))
						}
					}
					return false
				})
			}
		}
	}
	return found
}

// arraysIn answers the array comprehensions whose order counts.
func arraysIn(module *ast.Module) []*ast.Term {
	same := map[*ast.Term]bool{}
	sameIn := func(terms []*ast.Term) {
		for _, term := range terms[1:] {
			same[term] = same[term] || slices.Contains(orderless, terms[0].String())
		}
	}
	var found []*ast.Term
	ast.NewGenericVisitor(func(node any) bool {
		switch node := node.(type) {
		case *ast.Expr:
			if terms, is := node.Terms.([]*ast.Term); is {
				sameIn(terms)
			}
		case *ast.Term:
			switch value := node.Value.(type) {
			case ast.Call:
				sameIn(value)
			case *ast.ArrayComprehension:
				if !same[node] {
					found = append(found, node)
				}
			}
		}
		return false
	}).Walk(module)
	return found
}

// unordered answers what a comprehension of a rule finds in no particular order.
func unordered(compiler *ast.Compiler, rule *ast.Rule, array *ast.ArrayComprehension) string {
	known := namesAround(rule, array)
	for _, expr := range array.Body {
		if expr.IsCall() && expr.Operator().Equal(ast.WalkBuiltin.Ref()) {
			return "what walk finds in objects"
		}
		what := ""
		eachOperand(expr, func(term *ast.Term) {
			ref, is := dataRef(term)
			if at := len(ref); is && firstVariable(ref) < at {
				at = firstVariable(ref)
				name, isName := ref[at].Value.(ast.Var)
				if _, isObject := compiler.TypeEnv.Get(ref[:at]).(*types.Object); isObject && isName && !known.Contains(name) {
					what = fmt.Sprintf("the members of %v", ref[:at])
				}
			}
		})
		if what != "" {
			return what
		}
		known.Update(ast.OutputVarsFromExpr(compiler, expr, known))
	}
	return ""
}

// namesAround answers the variables that a rule has outside of a comprehension.
func namesAround(rule *ast.Rule, inner *ast.ArrayComprehension) ast.VarSet {
	around := ast.ReservedVars.Copy()
	for _, node := range []any{rule.Head, rule.Body} {
		ast.NewGenericVisitor(func(node any) bool {
			if name, is := node.(ast.Var); is {
				around.Add(name)
			}
			array, is := node.(*ast.ArrayComprehension)
			return is && array == inner
		}).Walk(node)
	}
	return around
}
