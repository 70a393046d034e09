package main

import (
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Builtins that give the same for an array in any order.
var orderless = []string{"count", "sort", "sum", "product", "max", "min", "all", "any", ast.Member.Name}

// orderProblems finds arrays that are made of what `walk` finds: OPA's Wasm finds the members of an object in another
// order than its interpreter. What only counts, sorts or searches such an array is the same in both.
func (p *parsed) orderProblems(served map[string]*ast.Module) []problem {
	found := []problem{}
	for _, path := range sortedPaths(served) {
		same := map[*ast.ArrayComprehension]bool{}
		sameIn := func(terms []*ast.Term) {
			if !slices.Contains(orderless, terms[0].String()) {
				return
			}
			for _, term := range terms[1:] {
				if array, is := term.Value.(*ast.ArrayComprehension); is {
					same[array] = true
				}
			}
		}
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
					if !same[value] && walks(value.Body) {
						message := "the order of what walk finds in objects is not that of OPA's interpreter: make a set of it, or sort it"
						found = append(found, p.texts.at("verdict_order_warning", message, node.Location))
					}
				}
			}
			return false
		}).Walk(served[path])
	}
	return found
}

func walks(body ast.Body) bool {
	return slices.ContainsFunc(body, func(expr *ast.Expr) bool {
		return expr.IsCall() && expr.Operator().Equal(ast.WalkBuiltin.Ref())
	})
}
